"""Bounds hold at all times at once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stats.any_time import mean, share


def test_of_nothing_nothing_is_known() -> None:
    assert share(0, 0, 0.01) == (0.0, 1.0)
    assert mean(1.0, 1.0, 0, 0.01) == (float("-inf"), float("inf"))


@given(st.integers(1, 5000), st.floats(0, 1), st.sampled_from([0.05, 0.01]))
def test_a_share_is_between_its_bounds_and_more_tells_more(
    judged: int, part: float, alpha: float
) -> None:
    bad = round(judged * part)
    low, high = share(judged, bad, alpha)
    assert 0.0 <= low <= bad / judged <= high <= 1.0
    wider = share(judged / 4, bad / 4, alpha)
    assert wider.low <= low + 1e-9 and wider.high >= high - 1e-9
    mirrored = share(judged, judged - bad, alpha)
    assert mirrored.low == pytest.approx(1 - high, abs=1e-9)


def test_more_is_known_of_a_share_than_of_half_its_error() -> None:
    assert share(500, 25, 0.01).high < share(500, 25, 0.005).high
    assert mean(0.0, 4.0, 900, 0.01).high == pytest.approx(2 * mean(0.0, 1.0, 900, 0.01).high)


def missed(seed: int, rate: float, looks: int) -> bool:
    """Whether a share left its bounds at any of so many looks."""
    draw, judged, bad = random.Random(seed), 0, 0
    for _ in range(looks):
        judged, bad = judged + 5, bad + sum(draw.random() < rate for _ in range(5))
        low, high = share(judged, bad, 0.05)
        if not low <= rate <= high:
            return True
    return False


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_of_many_who_look_often_few_are_ever_wrong(rate: float) -> None:
    wrong = sum(missed(seed, rate, 60) for seed in range(150))
    assert wrong <= 0.05 * 150 + 6
