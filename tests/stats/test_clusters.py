import random

import pytest

from tidegate.core.block import Moments
from tidegate.stats.clusters import design_effect, most_correlation


def of_units(correlation: float, rate: float, units: int) -> Moments:
    """Means of four requests of each of so many units."""
    draw, found = random.Random(3), Moments()
    for _ in range(units):
        lasting = draw.random() < rate
        bad = 0
        for _ in range(4):
            bad += lasting if draw.random() < correlation**0.5 else draw.random() < rate
        found.add(bad / 4)
    return found


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.4])
def test_the_correlation_is_below_what_cannot_be_ruled_out(correlation):
    found = most_correlation(of_units(correlation, 0.2, 4000), 0.16, 0.25)
    assert correlation <= found < correlation + 0.1


def test_of_few_units_or_none_bad_nothing_is_ruled_out():
    assert most_correlation(of_units(0, 0.2, 50), 0.16, 0.25) == 1
    assert most_correlation(Moments(5000), 0.01, 0.25) == 1


def test_units_of_one_request_say_nothing():
    assert most_correlation(of_units(0, 0.2, 4000), 0.16, 1.0) == 1


def test_a_rare_share_rules_less_out_than_a_common_one():
    common = most_correlation(of_units(0, 0.3, 2000), 0.21, 0.25)
    rare = most_correlation(of_units(0, 0.01, 2000), 0.0099, 0.25)
    assert common < rare


def test_the_design_effect():
    assert design_effect(100, 100, 1.0) == 1
    assert design_effect(500, 100, 0.4) == pytest.approx(2.6)
    assert design_effect(0, 0, 1.0) == 1
