from math import comb, exp, log

import pytest

from tidegate.stats.harm_test import ODDS_RATIOS, Share, grown, ln_e, rate_of

NOTHING_YET = (0.0,) * len(ODDS_RATIOS)


def expected_e(assumed: float, true: float, stable: int, canary: int) -> float:
    """Of one block, over everything that can come of it."""
    found = 0.0
    for bad_a in range(stable + 1):
        for bad_b in range(canary + 1):
            chance = comb(stable, bad_a) * comb(canary, bad_b)
            chance *= true ** (bad_a + bad_b)
            chance *= (1 - true) ** (stable + canary - bad_a - bad_b)
            logs = grown(NOTHING_YET, assumed, Share(stable, bad_a), Share(canary, bad_b))
            found += chance * exp(ln_e(logs))
    return found


@pytest.mark.parametrize("true", [0.001, 0.02, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("assumed", [0.005, 0.05, 0.4])
def test_of_equal_arms_no_gain_is_to_be_expected_whatever_their_rate(
    true: float, assumed: float
) -> None:
    assert expected_e(assumed, true, 12, 4) <= 1 + 1e-9


def test_a_mean_of_a_unit_gains_no_more_than_the_count_it_stands_for() -> None:
    """Half of the units bad by half a request: the same mean as a quarter of them bad."""
    halves = sum(
        0.5 * exp(ln_e(grown(NOTHING_YET, 0.25, Share(30, 7.5), Share(1, bad))))
        for bad in (0.0, 0.5)
    )
    wholes = 0.75 * exp(ln_e(grown(NOTHING_YET, 0.25, Share(30, 7.5), Share(1, 0))))
    wholes += 0.25 * exp(ln_e(grown(NOTHING_YET, 0.25, Share(30, 7.5), Share(1, 1))))
    assert halves <= wholes + 1e-12


def test_a_worse_canary_gains_and_a_better_one_loses() -> None:
    worse = better = NOTHING_YET
    for _ in range(10):
        worse = tuple(grown(worse, 0.02, Share(200, 4), Share(100, 10)))
        better = tuple(grown(better, 0.02, Share(200, 4), Share(100, 0)))
    assert ln_e(worse) > log(1e6)
    assert ln_e(better) < 0


def test_a_block_with_one_arm_says_nothing() -> None:
    assert grown((1.0,) * 6, 0.1, Share(0, 0), Share(50, 50)) == [1.0] * 6
    assert grown((1.0,) * 6, 0.1, Share(50, 50), Share(0, 0)) == [1.0] * 6


def test_a_rate_is_never_none_or_all() -> None:
    assert rate_of(Share(0, 0)) == 0.5
    assert 0 < rate_of(Share(1000, 0)) < 0.001
    assert 0.999 < rate_of(Share(1000, 1000)) < 1


def test_an_e_value_stays_a_number() -> None:
    assert ln_e((1e9, 0.0)) == 200.0
    assert ln_e((-1e9, -1e9)) == -1e9
