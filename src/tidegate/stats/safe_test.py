"""Is the canary's share of bad requests less than a margin above the stable arm's? An e-process.

The null hypothesis is that it is worse by the margin or more. Each block's likelihood ratio is of
an alternative against the nearest point of the null, (x, x + margin), which minimises the
divergence: exact for finite samples (safe tests for 2x2 tables, convex null), where the usual
confidence sequence lets one in seven releases at the margin pass.

Any alternative will do that is chosen by what came before. "Both arms have the same rate" makes
evidence grow fastest, but leaves one in nine equal releases undecided when a fixed sample would
have passed them. So the canary's is set as one hedges a bet that pays at a horizon: bold while
little is won and much is to come, careful near the end (Browne's rule for reaching a goal by a
time). The horizon is a little more than a test of a fixed sample would take.
"""

from math import exp, log, log1p, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from tidegate.stats.harm_test import Share

_EDGE: Final = 1e-9
_HALVINGS: Final = 18
_NORMAL: Final = NormalDist()
_POWER: Final = 0.95
# The goal of the bet in multiples of 1 / alpha, and the horizon in those of the fixed sample.
_GOAL: Final = 2.0
_HORIZON: Final = 1.2
# Where between the arms' rate and the margin a count's variance is taken: on the way that an equal
# canary's takes, which is skew.
_WAY: Final = 0.25
_SURE: Final = 0.999
_LOST: Final = 1e-6


class Margin(NamedTuple):
    """`points` of a share, and the error allowed at it."""

    points: float
    alpha: float


class Rates(NamedTuple):
    """What the alternative says of the arms."""

    stable: float
    canary: float


def horizon(rate: float, margin: Margin, stable_share: float) -> float:
    """The canary's observations at which an equal one should have passed."""
    at_margin = min(1 - _EDGE, rate + margin.points)
    spread = -_NORMAL.inv_cdf(margin.alpha) * sqrt(at_margin * (1 - at_margin))
    spread += _NORMAL.inv_cdf(_POWER) * sqrt(rate * (1 - rate))
    return _HORIZON * (spread / margin.points) ** 2 / max(_EDGE, stable_share)


def alternative(
    rate: float, margin: Margin, ln_e: float, canary: float, stable_share: float
) -> Rates:
    """The arms' rates to bet on, having `ln_e` after `canary` observations of it.

    What is won so far is worth the chance v of reaching the goal; a hedge of it at the time left
    holds density(quantile(v)) / v for each standard deviation to come. A horizon that has passed is
    doubled.
    """
    until = horizon(rate, margin, stable_share)
    while until <= canary:
        until *= 2
    chance = min(_SURE, max(_LOST, exp(min(0.0, ln_e + log(margin.alpha / _GOAL)))))
    at_margin = min(1 - _EDGE, rate + margin.points)
    between = min(1 - _EDGE, rate + _WAY * margin.points)
    deviation = sqrt(between * (1 - between) / stable_share * (until - canary))
    tilt = _NORMAL.pdf(_NORMAL.inv_cdf(chance)) / chance / max(deviation, 1.0)
    odds = at_margin / (1 - at_margin) * exp(-tilt)
    return Rates(rate, max(_EDGE, odds / (1 + odds)))


def nearest_null(rates: Rates, points: float, stable_share: float) -> float:
    """The stable arm's rate at that point; `stable_share` is its part of the observations.

    Bisection on the derivative of share KL(stable, x) + (1 - share) KL(canary, x + margin).
    """
    at_stable, at_canary = rates
    low = max(_EDGE, min(at_stable, at_canary - points))
    high = max(low, min(at_stable, 1 - points - _EDGE))
    for _ in range(_HALVINGS):
        x = (low + high) / 2
        y = x + points
        slope = stable_share * (x - at_stable) / (x - x * x)
        if slope + (1 - stable_share) * (y - at_canary) / (y - y * y) < 0:
            low = x
        else:
            high = x
    return (low + high) / 2


def growth(rates: Rates, points: float, stable: Share, canary: Share) -> float:
    """What a block adds to ln of the e-value."""
    n_a, k_a = stable
    n_b, k_b = canary
    if not n_a or not n_b or points >= 1 - 2 * _EDGE:
        return 0.0
    x = nearest_null(rates, points, n_a / (n_a + n_b))
    y = x + points
    return (
        k_a * (log(rates.stable) - log(x))
        + (n_a - k_a) * (log1p(-rates.stable) - log1p(-x))
        + k_b * (log(rates.canary) - log(y))
        + (n_b - k_b) * (log1p(-rates.canary) - log1p(-y))
    )


def expected(rates: Rates, points: float, stable_share: float) -> float:
    """What one observation of either arm adds to ln of the e-value, of the canary as of the stable
    arm, if both have the stable arm's rate."""
    n_b = 1 - stable_share
    return growth(
        rates,
        points,
        Share(stable_share, stable_share * rates.stable),
        Share(n_b, n_b * rates.stable),
    )
