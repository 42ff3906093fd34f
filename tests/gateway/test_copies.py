import pytest

from tidegate.gateway.copies import MOST_IN_FLIGHT, Copies


def test_what_is_under_way_counts_as_spent_until_it_has_ended() -> None:
    copies = Copies(spent_nanousd=50)
    assert copies.affords(50, 100) and not copies.affords(51, 100)
    with copies.under_way(30):
        assert copies.affords(20, 100) and not copies.affords(21, 100)
    assert (copies.sent, copies.held_nanousd, copies.in_flight) == (1, 0, 0)


def test_one_whose_cost_nobody_knows_is_never_afforded() -> None:
    assert not Copies().affords(None, 10**18)


def test_so_many_are_under_way_at_once_also_when_one_breaks() -> None:
    copies = Copies()
    under_way = [copies.under_way(1) for _ in range(MOST_IN_FLIGHT)]
    for one in under_way:
        one.__enter__()
    assert copies.full
    with pytest.raises(ValueError, match="x"), copies.under_way(1):
        raise ValueError("x")
    for one in under_way:
        one.__exit__(None, None, None)
    assert not copies.full and copies.held_nanousd == 0
