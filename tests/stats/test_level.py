import pytest

from tidegate.core.block import Moments
from tidegate.stats import harm_test
from tidegate.stats.level import Bounds, Level, advanced, summed
from tidegate.stats.safe_test import Margin

SHARE = Bounds(True, Margin(0.02, 0.05))
AMOUNT = Bounds(False, Margin(0.14, 0.05))


def share(count: int, bad: int) -> Moments:
    return Moments(count, bad, bad)


def test_a_block_is_judged_by_earlier_ones_alone():
    level = advanced(Level(), share(500, 0), share(50, 50), SHARE)
    assert harm_test.ln_e(level.harm) == 0
    assert level.strata.precision == 0
    level = advanced(level, share(500, 0), share(50, 50), SHARE)
    assert harm_test.ln_e(level.harm) > 50
    assert level.safe < 0
    assert level.both() == (1100, 100)


def test_amounts_are_in_standard_deviations_of_the_stable_arm():
    first, stable = Moments(100, 500.0, 2900.0), Moments(10, 50.0, 290.0)
    level = advanced(Level(), first, first, AMOUNT)
    level = advanced(level, stable, Moments(10, 70.0, 530.0), AMOUNT)
    assert level.spread(False) == pytest.approx(2, rel=0.01)
    difference = level.strata.weighted / level.strata.precision
    assert difference == pytest.approx(1, rel=0.01)
    assert level.strata.margin / level.strata.precision == pytest.approx(0.07, rel=0.01)


def test_a_block_with_one_arm_is_only_remembered():
    before = advanced(Level(), share(500, 5), share(50, 1), SHARE)
    after = advanced(before, share(500, 5), Moments(), SHARE)
    assert (after.harm, after.safe, after.strata) == (before.harm, before.safe, before.strata)
    assert after.stable.count == 1000


def test_sums():
    assert summed(Moments(1, 2.0, 4.0), Moments(2, 3.0, 5.0)) == Moments(3, 5.0, 9.0)
