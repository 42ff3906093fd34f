from tidegate.sim.record import Log


def test_the_newest_entries_are_kept_in_order():
    log = Log(size=2)
    opened = [log.open("/x", float(at)) for at in range(3)]
    assert list(log) == opened[1:]
    assert len({entry.id for entry in opened}) == 3
    log.clear()
    assert list(log) == []
