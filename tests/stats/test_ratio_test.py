from math import comb, exp, log

import pytest

from tidegate.stats.harm_test import ln_mean
from tidegate.stats.ratio_test import ALARM, ODDS_RATIOS, grown

NOTHING_YET = (0.0,) * len(ODDS_RATIOS)


@pytest.mark.parametrize("weight", [0.01, 0.3, 0.97])
def test_at_its_weight_no_gain_is_to_be_expected(weight: float) -> None:
    found = sum(
        comb(20, count)
        * weight**count
        * (1 - weight) ** (20 - count)
        * exp(ln_mean(grown(NOTHING_YET, weight, 20, count)))
        for count in range(21)
    )
    assert found == pytest.approx(1)


def test_a_canary_with_a_third_too_many_is_found_and_one_at_its_weight_is_not() -> None:
    off = right = NOTHING_YET
    for _ in range(40):
        off = tuple(grown(off, 0.2, 500, 133))
        right = tuple(grown(right, 0.2, 500, 100))
    assert ln_mean(off) > log(ALARM)
    assert ln_mean(right) < 0


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_where_all_go_one_way_there_is_nothing_to_check(weight: float) -> None:
    assert grown(NOTHING_YET, weight, 100, 50) == list(NOTHING_YET)
