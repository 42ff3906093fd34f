from math import comb, exp, log

import pytest

from tidegate.stats.harm_test import Share
from tidegate.stats.safe_test import (
    Margin,
    Rates,
    SoFar,
    alternative,
    expected,
    growth,
    horizon,
    nearest_null,
)


def rates_of(rate, points, won=1.0, canary=30):
    return alternative(rate, Margin(points, 0.05), SoFar(log(won), canary, 20), 0.9)


def expected_e(assumed, margin, arms, rates, won):
    found = 0.0
    (stable, canary), (rate_a, rate_b) = arms, rates
    for bad_a in range(stable + 1):
        for bad_b in range(canary + 1):
            chance = comb(stable, bad_a) * rate_a**bad_a * (1 - rate_a) ** (stable - bad_a)
            chance *= comb(canary, bad_b) * rate_b**bad_b * (1 - rate_b) ** (canary - bad_b)
            grows = growth(
                rates_of(assumed, margin, won), margin, Share(stable, bad_a), Share(canary, bad_b)
            )
            found += chance * exp(grows)
    return found


@pytest.mark.parametrize("true", [0.0, 0.01, 0.05, 0.3, 0.8])
@pytest.mark.parametrize("excess", [0.0, 0.05])
@pytest.mark.parametrize("assumed", [0.004, 0.02, 0.3])
@pytest.mark.parametrize("won", [1e-9, 1.0, 19.0, 1e9])
def test_at_the_margin_or_worse_no_gain_is_to_be_expected(true, excess, assumed, won):
    margin = 0.1
    rates = (true, min(1.0, true + margin + excess))
    assert expected_e(assumed, margin, (15, 5), rates, won) <= 1 + 1e-5


@pytest.mark.parametrize("true", [0.01, 0.3])
@pytest.mark.parametrize("assumed", [0.004, 0.3])
def test_nor_is_it_of_units_that_are_bad_in_part(true, assumed):
    """One unit of each arm whose requests are both bad, one of them, or none: at the margin."""
    margin = 0.1
    rates, found = rates_of(assumed, margin), 0.0
    for bad_a in (0.0, 0.5, 1.0):
        for bad_b in (0.0, 0.5, 1.0):
            chance = in_part(bad_a, true) * in_part(bad_b, true + margin)
            between = bad_a * (1 - bad_a), bad_b * (1 - bad_b)
            grows = growth(rates, margin, Share(1, bad_a), Share(1, bad_b), between)
            assert grows >= growth(rates, margin, Share(1, bad_a), Share(1, bad_b))
            found += chance * exp(grows)
    assert found <= 1 + 1e-5


def in_part(bad, rate):
    """The chance of so much of a unit with that mean, of independent requests."""
    return {0.0: (1 - rate) ** 2, 0.5: 2 * rate * (1 - rate), 1.0: rate**2}[bad]


def test_equal_arms_gain_as_much_as_is_said():
    rates = rates_of(0.02, 0.02)
    each = expected(rates, 0.02, 0.9)
    assert each > 0
    gain = growth(rates, 0.02, Share(900, 18), Share(100, 2))
    assert gain == pytest.approx(1000 * each, rel=1e-9)


def test_the_bet_lies_between_equal_and_the_margin_and_is_bolder_with_less():
    poor, even, rich = (rates_of(0.02, 0.02, won).canary for won in (0.1, 1.0, 50.0))
    assert 0 < poor < even < rich < 0.04


def test_a_horizon_that_has_passed_is_another():
    assert 0 < rates_of(0.02, 0.02, 1.0, 10**7).canary < 0.04


def test_a_block_beyond_the_horizon_is_not_bet_on_as_if_it_were_the_last_few():
    margin, won = Margin(0.02, 0.05), log(2)
    near = horizon(0.02, margin, 0.9) - 10
    few = alternative(0.02, margin, SoFar(won, near, 5), 0.9)
    many = alternative(0.02, margin, SoFar(won, near, 5000), 0.9)
    assert few.canary < 0.8 * many.canary < many.canary < 0.04


def test_the_horizon_is_about_a_fixed_samples():
    """2 % and not 4 %, one-sided 5 %, 95 % power: 764 of the canary."""
    assert horizon(0.02, Margin(0.02, 0.05), 1.0) == pytest.approx(1.05 * 764, rel=0.01)


def test_the_nearest_null_is_the_least_divergence():
    for rates, margin, share in (
        (Rates(0.02, 0.02), 0.02, 0.9),
        (Rates(0.5, 0.55), 0.1, 0.5),
        (Rates(0.001, 0.0015), 0.02, 0.99),
    ):
        best = nearest_null(rates, margin, share)

        def gain(x, rates=rates, margin=margin, share=share):
            """What the alternative expects to win against the null's point x."""
            return share * divergence(rates.stable, x) + (1 - share) * divergence(
                rates.canary, x + margin
            )

        step = min(best, margin) / 100
        assert gain(best) <= min(gain(best - step), gain(best + step))


def divergence(rate, other):
    return rate * log(rate / other) + (1 - rate) * log((1 - rate) / (1 - other))


def test_nothing_is_as_much_worse_as_a_margin_of_all():
    assert growth(Rates(0.1, 0.1), 1.0, Share(10, 1), Share(10, 1)) == 0


def test_a_block_with_one_arm_says_nothing():
    rates = Rates(0.1, 0.1)
    assert growth(rates, 0.02, Share(0, 0), Share(9, 1)) == 0
    assert growth(rates, 0.02, Share(9, 1), Share(0, 0)) == 0
