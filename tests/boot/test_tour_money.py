"""The race for the last cent: when it holds, and how it is told."""

from msgspec.structs import replace

from tidegate.boot.tour_money import PART, Race, tell

GOOD = Race(answered=30, refused=200, others=0, spent_nanousd=9_790_000)


def test_it_holds_only_when_nobody_was_served_beyond() -> None:
    assert GOOD.holds
    assert replace(GOOD, spent_nanousd=10_000_000).holds
    assert not replace(GOOD, spent_nanousd=10_000_001).holds
    assert not replace(GOOD, refused=199).holds
    assert not replace(GOOD, others=1).holds
    assert not replace(GOOD, answered=0, spent_nanousd=0).holds


def test_an_overshoot_is_told() -> None:
    told: list[str] = []
    tell(GOOD, told.append)
    tell(replace(GOOD, spent_nanousd=10_500_000, others=2), told.append)
    text = "\n".join(told)
    assert "$0.00979 of $0.01. Overshoot: $0.00." in text
    assert "$0.0105 of $0.01. Overshoot: $0.0005." in text
    assert "2 calls came to neither" in text


def test_its_budget_is_hard() -> None:
    assert "hard: true" in PART.budget
