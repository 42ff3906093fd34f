import random
from math import exp, isfinite, log, sqrt

import pytest

from tidegate.core.block import Moments
from tidegate.stats import mean_test
from tidegate.stats.mean_test import (
    Strata,
    half_width,
    joined,
    ln_e,
    ln_e_above,
    ln_e_harm,
    ln_e_safe,
)


def test_the_mixture_is_the_integral_that_it_stands_for() -> None:
    """Over effects above 0 of twice the normal density of scale TAU."""
    weighted, precision, step = 12.0, 40.0, 1e-4
    total = 0.0
    for index in range(20_000):
        effect = (index + 0.5) * step
        density = 2 * exp(-0.5 * (effect / mean_test.TAU) ** 2)
        density /= mean_test.TAU * sqrt(2 * 3.141592653589793)
        total += density * exp(effect * weighted - effect * effect * precision / 2) * step
    assert ln_e(weighted, precision) == pytest.approx(log(total), abs=1e-3)


def test_of_equal_means_the_expectation_is_one() -> None:
    draw = random.Random(1)
    precision = 25.0
    found = [exp(ln_e(draw.gauss(0, sqrt(precision)), precision)) for _ in range(50_000)]
    assert sum(found) / len(found) == pytest.approx(1, abs=0.03)


def test_harm_is_sought_at_all_scales() -> None:
    """Where the effect is large, the mean of both scales has more than the smaller alone; where it
    is small, hardly less than half."""
    large, small = (40.0, 40.0), (25.0, 250.0)
    assert ln_e_above(*large) > ln_e(*large)
    assert ln_e_above(*small) > ln_e(*small) - log(2)
    assert ln_e_above(0, 0) == 0


def test_more_is_harm_and_less_is_not() -> None:
    strata = Strata()
    for _ in range(20):
        strata = joined(strata, 0.5, 10.0, 0.2)
    assert ln_e_harm(strata) > log(1000)
    assert ln_e_safe(strata) < 0
    strata = Strata()
    for _ in range(40):
        strata = joined(strata, -0.5, 10.0, 0.2)
    assert ln_e_harm(strata) < 0
    assert ln_e_safe(strata) > log(1000)


def test_an_interval_narrows_and_is_wider_for_less_error() -> None:
    assert half_width(1000, 0.05) < half_width(100, 0.05) < half_width(100, 0.01)


def test_nothing_and_the_absurd_stay_numbers() -> None:
    assert ln_e(0, 0) == 0
    assert isfinite(ln_e(-1e6, 1.0))
    assert ln_e(-1e6, 1.0) < ln_e(-10, 1.0) < ln_e(0, 1.0)


def test_what_never_varies_is_still_not_known_to_the_last_digit() -> None:
    same = Moments(10, 50.0, 250.0)
    assert mean_test.variance(same, 0.0025) == 0.0025
    assert mean_test.variance(Moments(1, 5.0, 25.0), 0.3) == 0.3


def test_the_canarys_variance_begins_as_the_stable_arms() -> None:
    assert mean_test.canary_variance(4.0, Moments()) == 4.0
    wild = Moments(1001, 0.0, 9000.0)
    assert mean_test.canary_variance(4.0, wild) == pytest.approx(9, abs=0.2)
