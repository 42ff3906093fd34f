import random

import pytest

from tidegate.core.block import Moments
from tidegate.stats.clusters import design_effect, most_correlation, most_share_correlation

REQUESTS = 4


def units(correlation: float, rate: float, count: int):
    """How many of four requests were bad, of each of so many units."""
    draw = random.Random(3)
    for _ in range(count):
        lasting = draw.random() < rate
        yield sum(
            lasting if draw.random() < correlation**0.5 else draw.random() < rate
            for _ in range(REQUESTS)
        )


def of_share(correlation: float, rate: float, count: int) -> float:
    bad = list(units(correlation, rate, count))
    bad_pairs = sum(each * (each - 1) // 2 for each in bad)
    return most_share_correlation(rate, count * REQUESTS * (REQUESTS - 1) // 2, bad_pairs)


def of_amount(correlation: float, count: int) -> float:
    draw, found = random.Random(4), Moments()
    for _ in range(count):
        lasting = draw.gauss(0, correlation**0.5)
        own = (1 - correlation) ** 0.5
        found.add(lasting + sum(draw.gauss(0, own) for _ in range(REQUESTS)) / REQUESTS)
    return most_correlation(found, 1.0, 1 / REQUESTS)


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.4])
def test_the_correlation_is_below_what_cannot_be_ruled_out(correlation):
    assert correlation <= of_share(correlation, 0.2, 4000) < correlation + 0.15
    assert correlation <= of_amount(correlation, 4000) < correlation + 0.15


def test_of_nothing_nothing_is_ruled_out():
    assert most_share_correlation(0.02, 0, 0) == 1
    assert most_share_correlation(0.001, 100, 0) == 1
    assert of_amount(0, 50) == 1
    assert most_correlation(Moments(4000, 0.0, 4000.0), 1.0, 1.0) == 1


def test_more_pairs_rule_more_out():
    assert of_share(0, 0.02, 20_000) < 0.1 < of_share(0, 0.02, 500)
    assert of_amount(0, 20_000) < of_amount(0, 500)


def test_the_design_effect_is_by_the_pairs():
    """100 units of five requests each: ten pairs a unit."""
    assert design_effect(500, 1000, 0.4) == pytest.approx(1 + 4 * 0.4)
    assert design_effect(100, 0, 1.0) == 1
    assert design_effect(0, 0, 1.0) == 1
