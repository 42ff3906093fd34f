from tidegate.gateway.copies import MOST_IN_FLIGHT, Copies


def test_what_is_under_way_counts_as_spent_until_it_has_ended() -> None:
    copies = Copies(spent_nanousd=50)
    assert copies.affords(50, 100) and not copies.affords(51, 100)
    copies.begin(30)
    assert copies.affords(20, 100) and not copies.affords(21, 100)
    copies.end(30, 10)
    assert (copies.sent, copies.held_nanousd, copies.in_flight) == (1, 0, 0)
    assert copies.affords(40, 100) and not copies.affords(41, 100)


def test_one_whose_cost_nobody_knows_is_never_afforded() -> None:
    assert not Copies().affords(None, 10**18)


def test_so_many_are_under_way_at_once() -> None:
    copies = Copies()
    for _ in range(MOST_IN_FLIGHT):
        assert not copies.full
        copies.begin(1)
    assert copies.full
    copies.end(1, 0)
    assert not copies.full
