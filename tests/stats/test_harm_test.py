from math import comb, exp, log

import pytest

from tidegate.stats.harm_test import (
    ODDS_RATIOS,
    PARTS,
    Share,
    grown,
    ln_e,
    ln_mean,
    rate_of,
    surplus,
)

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
    assert grown((1.0,) * 6, 0.1, Share(0, 0), Share(50, 50)) == (1.0,) * 6
    assert grown((1.0,) * 6, 0.1, Share(50, 50), Share(0, 0)) == (1.0,) * 6


def test_a_rate_is_never_none_or_all() -> None:
    assert rate_of(Share(0, 0)) == 0.5
    assert 0 < rate_of(Share(1000, 0)) < 0.001
    assert 0.999 < rate_of(Share(1000, 1000)) < 1


def test_an_e_value_stays_a_number() -> None:
    assert ln_e((1e9, *NOTHING_YET[1:])) == 200.0
    assert ln_e((-1e9,) * len(ODDS_RATIOS)) == pytest.approx(-1e9)
    assert ln_mean((1e9, 0.0)) == 200.0
    assert ln_mean((-1e9, -1e9)) == -1e9


def test_the_parts_of_the_mixture_are_one() -> None:
    assert len(PARTS) == len(ODDS_RATIOS)
    assert ln_e(NOTHING_YET) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("odds_ratio", [1e-4, 0.1, 0.5, 0.99, 1.01, 2.0, 10.0, 1e4])
def test_what_is_added_for_values_between_is_never_too_much(odds_ratio: float) -> None:
    """Of a good observation's likelihood ratio 1: ln(1 - x + x r) and its bound, over all x."""
    for step in range(1, 1000):
        x = step / 1000
        bound = x * log(odds_ratio) + surplus(odds_ratio) * x * (1 - x)
        assert log(1 - x + x * odds_ratio) >= bound - 1e-12
    assert surplus(odds_ratio) > 0
