"""How long a change holds, whatever is done to the clock."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.change import Change

times = st.floats(-1e9, 1e9)


def change(until_s: float | None, lease_s: float | None) -> Change:
    return Change("c", "frozen", "chat", 1, "why", "operator:ann", 0.0, until_s, lease_s)


@given(st.floats(1, 1e6), times)
def test_until_a_time_it_never_holds_longer_than_it_was_meant_to(
    lasts_s: float, now_s: float
) -> None:
    left_s = change(lasts_s, None).remaining_s(now_s, 0.0)
    assert 0 <= left_s <= lasts_s
    assert (left_s == 0) == (now_s >= lasts_s)


@given(st.floats(1, 1e6), times, times)
def test_a_lease_is_what_is_left_since_it_was_renewed(
    lease_s: float, now_s: float, renewed_at_s: float
) -> None:
    left_s = change(None, lease_s).remaining_s(now_s, renewed_at_s)
    assert 0 <= left_s <= lease_s
    if now_s <= max(renewed_at_s, 0.0):
        assert left_s == lease_s, "a renewal before it was set counts from then"


def test_without_an_end_it_holds_nothing() -> None:
    assert change(None, None).remaining_s(5.0, 5.0) == 0
