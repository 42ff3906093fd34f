from math import comb, exp

import pytest

from tidegate.stats.harm_test import Share
from tidegate.stats.safe_test import divergence, expected, growth, nearest_null


def expected_e(assumed: float, margin: float, arms: tuple[int, int], rates: tuple[float, float]):
    found = 0.0
    (stable, canary), (rate_a, rate_b) = arms, rates
    for bad_a in range(stable + 1):
        for bad_b in range(canary + 1):
            chance = comb(stable, bad_a) * rate_a**bad_a * (1 - rate_a) ** (stable - bad_a)
            chance *= comb(canary, bad_b) * rate_b**bad_b * (1 - rate_b) ** (canary - bad_b)
            grows = growth(assumed, margin, Share(stable, bad_a), Share(canary, bad_b))
            found += chance * exp(grows)
    return found


@pytest.mark.parametrize("true", [0.0, 0.01, 0.05, 0.3, 0.8])
@pytest.mark.parametrize("excess", [0.0, 0.05])
@pytest.mark.parametrize("assumed", [0.004, 0.02, 0.3])
def test_at_the_margin_or_worse_no_gain_is_to_be_expected(
    true: float, excess: float, assumed: float
) -> None:
    margin = 0.1
    rates = (true, min(1.0, true + margin + excess))
    assert expected_e(assumed, margin, (15, 5), rates) <= 1 + 1e-5


def test_equal_arms_gain_as_much_as_is_said() -> None:
    each = expected(0.02, 0.02, 0.9)
    assert each > 0
    gain = growth(0.02, 0.02, Share(900, 18), Share(100, 2))
    assert gain == pytest.approx(1000 * each, rel=1e-9)


def test_the_nearest_null_is_the_least_divergence() -> None:
    for rate, margin, share in ((0.02, 0.02, 0.9), (0.5, 0.1, 0.5), (0.001, 0.02, 0.99)):
        best = nearest_null(rate, margin, share)

        def far(x: float, rate: float = rate, margin: float = margin, share: float = share):
            return share * divergence(rate, x) + (1 - share) * divergence(rate, x + margin)

        step = min(best, margin) / 100
        assert far(best) <= min(far(best - step), far(best + step))


def test_nothing_is_as_much_worse_as_a_margin_of_all() -> None:
    assert growth(0.1, 1.0, Share(10, 1), Share(10, 1)) == 0
    assert expected(0.1, 1.0, 0.5) == 0


def test_a_block_with_one_arm_says_nothing() -> None:
    assert growth(0.1, 0.02, Share(0, 0), Share(9, 1)) == 0
    assert growth(0.1, 0.02, Share(9, 1), Share(0, 0)) == 0
