import pytest

from tidegate.core.block import Moments
from tidegate.stats import harm_test
from tidegate.stats.level import Bounds, Level, advanced, bet_on, summed
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


def test_before_anything_is_known_of_a_share_a_small_block_is_bet_on():
    """Of safety, for which any rate will do; of harm the rate has to be known."""
    level = advanced(Level(), share(180, 3), share(20, 0), SHARE)
    assert level.safe > 0
    assert harm_test.ln_e(level.harm) == pytest.approx(0, abs=1e-12)
    assert advanced(Level(), share(450, 9), share(50, 0), SHARE).safe == 0


def test_units_that_are_bad_in_part_are_bet_on_more_boldly():
    """Their means vary less than counts of the same mean do, so fewer of them tell as much."""
    halves, wholes = Moments(1000, 20.0, 10.0), Moments(1000, 20.0, 20.0)
    of_halves = advanced(Level(), halves, halves, SHARE)
    of_wholes = advanced(Level(), wholes, wholes, SHARE)
    bold, usual = (bet_on(level, SHARE, 180, 20) for level in (of_halves, of_wholes))
    assert bold.canary < usual.canary < 0.04
    gains = [
        advanced(level, Moments(180, 4.0, squares), Moments(20, 1.0, squares / 4), SHARE).safe
        for level, squares in ((of_halves, 2.0), (of_halves, 4.0))
    ]
    assert gains[0] > gains[1]


def test_the_first_block_of_an_amount_is_judged_by_its_own_stable_arm():
    few, many = Moments(49, 245.0, 1421.0), Moments(50, 250.0, 1450.0)
    assert advanced(Level(), few, many, AMOUNT).strata.precision == 0
    level = advanced(Level(), many, Moments(50, 350.0, 2650.0), AMOUNT)
    difference = level.strata.weighted / level.strata.precision
    assert difference == pytest.approx(1, rel=0.02)


def test_amounts_are_in_standard_deviations_of_the_stable_arm():
    first, stable = Moments(100, 500.0, 2900.0), Moments(10, 50.0, 290.0)
    level = advanced(Level(), first, Moments(), AMOUNT)
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
