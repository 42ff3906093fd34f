"""How long a step of a series is."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.series import MAX_POINTS, SignalQuery, step_of

DAY_S = 86_400


@given(st.floats(0, 2e9), st.floats(0, 1e9))
def test_no_window_has_more_points_than_a_series_may(since_s: float, length_s: float) -> None:
    until_s = since_s + length_s
    step_s = step_of(SignalQuery((), since_s, until_s))
    assert until_s // step_s - since_s // step_s + 1 <= MAX_POINTS


def test_steps_are_as_short_as_the_window_lets_them_be() -> None:
    def step(length_s: float) -> int:
        return step_of(SignalQuery((), 0.0, length_s))

    assert step(3600) == 60
    assert step(DAY_S) == 300
    assert step(30 * DAY_S) == 7200
    assert step(396 * DAY_S) == DAY_S
    assert step(10_000 * DAY_S) == 4 * 604_800
