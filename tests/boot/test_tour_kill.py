"""kill -9 under load: when the ledger is whole, and how it is told."""

from msgspec.structs import replace

from tidegate.boot.tour_kill import Count, tell

GOOD = Count(seen=514, cut_off=16, in_ledger=514, twice=0)


def test_it_holds_only_when_each_is_there_once() -> None:
    assert GOOD.holds
    assert not replace(GOOD, in_ledger=513).holds
    assert not replace(GOOD, twice=1).holds
    assert not Count(0, 0, 0, 0).holds


def test_it_is_told() -> None:
    told: list[str] = []
    tell(replace(GOOD, in_ledger=513), told.append)
    assert "513 of those 514, 0 twice" in told[-1]
