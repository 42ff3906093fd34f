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

from functools import lru_cache
from math import exp, log, pi, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from tidegate.stats.harm_test import Share, surplus

_EDGE: Final = 1e-9
_HIGHEST: Final = 1.0 - _EDGE
# The nearest point is the middle of one of so many cells of where it may lie.
_CELLS: Final = 2**18
_MOST_NEWTONS: Final = 50
_NORMAL: Final = NormalDist()
_POWER_QUANTILE: Final = _NORMAL.inv_cdf(0.95)
_DENSITY: Final = 1 / sqrt(2 * pi)
# The goal of the bet in multiples of 1 / alpha, and the horizon in those of the fixed sample.
_GOAL: Final = 1.3
_HORIZON: Final = 1.05
# Of the horizon so much is always to come, since nobody stakes all on the last few requests; and
# where it has passed by so much there is another, twice as far.
_TO_COME: Final = 0.05
_PASSED: Final = 1.2
# Where between the arms' rate and the margin a count's variance is taken: on the way that an equal
# canary's takes, which is skew.
_WAY: Final = 0.25
_SURE: Final = 0.999
_LOST: Final = 1e-6


class Margin(NamedTuple):
    """`points` of a share, and the error allowed at it."""

    points: float
    alpha: float


class SoFar(NamedTuple):
    """What was won, as ln of the e-value, with how many of the canary, and how many of it the next
    bet is about."""

    ln_e: float
    canary: float
    next: float


class Rates(NamedTuple):
    """What the alternative says of the arms."""

    stable: float
    canary: float


@lru_cache(maxsize=64)
def _of_alpha(alpha: float) -> tuple[float, float]:
    """The normal distribution's quantile at 1 - alpha, and the ln of what an e-value is worth of
    the goal."""
    return -_NORMAL.inv_cdf(alpha), log(alpha / _GOAL)


def horizon(rate: float, margin: Margin, stable_share: float) -> float:
    """The canary's observations at which an equal one should have passed."""
    points, alpha = margin
    at_margin = rate + points
    at_margin = at_margin if at_margin < _HIGHEST else _HIGHEST
    spread = _of_alpha(alpha)[0] * sqrt(at_margin * (1.0 - at_margin))
    spread += _POWER_QUANTILE * sqrt(rate * (1.0 - rate))
    times = spread / points
    return _HORIZON * (times * times) / (stable_share if stable_share > _EDGE else _EDGE)


def alternative(rate: float, margin: Margin, so_far: SoFar, stable_share: float) -> Rates:
    """The arms' rates to bet on."""
    return Rates(rate, bet(rate, margin, so_far, stable_share))


def bet(
    rate: float, margin: Margin, so_far: tuple[float, float, float], stable_share: float
) -> float:
    """The canary's rate to bet on, of arms that have shown `rate`, having come `so_far`. Where
    observations vary less than counts do, `stable_share` is as many times larger.

    What is won so far is worth the chance v of reaching the goal; a hedge of it at the time left
    holds density(quantile(v)) / v for each standard deviation to come. Of a horizon that is near or
    has just passed a little stays to come, and no less than is bet on now.
    """
    points, alpha = margin
    until = horizon(rate, margin, stable_share)
    ln_e, canary, now = so_far
    while _PASSED * until <= canary:
        until *= 2.0
    to_come, least = until - canary, _TO_COME * until
    least = least if least > now else now
    to_come = to_come if to_come > least else least
    ln_chance = ln_e + _of_alpha(alpha)[1]
    chance = exp(ln_chance) if ln_chance < 0.0 else 1.0
    chance = _LOST if chance < _LOST else _SURE if chance > _SURE else chance
    at_margin, between = rate + points, rate + _WAY * points
    at_margin = at_margin if at_margin < _HIGHEST else _HIGHEST
    between = between if between < _HIGHEST else _HIGHEST
    deviation = sqrt(between * (1.0 - between) / stable_share * to_come)
    quantile = _NORMAL.inv_cdf(chance)
    tilt = _DENSITY * exp(-0.5 * quantile * quantile) / chance
    if deviation > 1.0:
        tilt /= deviation
    odds = at_margin / (1.0 - at_margin) * exp(-tilt)
    found = odds / (1.0 + odds)
    return found if found > _EDGE else _EDGE


def nearest_null(rates: tuple[float, float], points: float, stable_share: float) -> float:
    """The stable arm's rate at that point; `stable_share` is its part of the observations.

    It minimises share KL(stable, x) + (1 - share) KL(canary, x + margin), whose derivative has the
    sign of a cubic (Farrington and Manning): convex on one side of its inflection, concave on the
    other, so that Newton's steps from there, or from the end next to it, go one way.
    """
    at_stable, at_canary = rates
    of_canary = at_canary - points
    low = of_canary if of_canary < at_stable else at_stable
    low = low if low > _EDGE else _EDGE
    high = 1.0 - points - _EDGE
    high = high if high < at_stable else at_stable
    if high <= low:
        return low
    cell = (high - low) / _CELLS
    # -x^3 + square x^2 + linear x - constant
    rest, room = 1.0 - stable_share, points * (1.0 - points)
    square = stable_share * (1.0 - 2.0 * points + at_stable) + rest * (1.0 + of_canary)
    linear = stable_share * (room - at_stable * (1.0 - 2.0 * points))
    linear -= rest * of_canary
    constant = stable_share * at_stable * points * (1.0 - points)
    x = square / 3.0
    x = low if x < low else high if x > high else x
    close = 1e-6 * cell
    for _ in range(_MOST_NEWTONS):
        slope = (2.0 * square - 3.0 * x) * x + linear
        step = (((square - x) * x + linear) * x - constant) / slope if slope else 0.0
        x -= step
        if -close <= step <= close:
            break
    at = int((x - low) / cell)
    at = 0 if at < 0 else _CELLS - 1 if at >= _CELLS else at
    return low + (at + 0.5) * cell


def growth(
    rates: tuple[float, float],
    points: float,
    stable: tuple[float, float],
    canary: tuple[float, float],
    between: tuple[float, float] = (0.0, 0.0),
) -> float:
    """What a block of these `Share`s adds to ln of the e-value. `between` is the arms' sums of
    x (1 - x) where each observation is a value x between 0 and 1, such as the mean of a unit."""
    (n_a, k_a), (n_b, k_b) = stable, canary
    if not n_a or not n_b or points >= 1 - 2 * _EDGE:
        return 0.0
    x = nearest_null(rates, points, n_a / (n_a + n_b))
    y = x + points
    at_stable, at_canary = rates
    bad_of_stable = k_a * log(at_stable / x) if k_a else 0.0
    bad_of_canary = k_b * log(at_canary / y) if k_b else 0.0
    found = (
        bad_of_stable
        + (n_a - k_a) * log((1.0 - at_stable) / (1.0 - x))
        + bad_of_canary
        + (n_b - k_b) * log((1.0 - at_canary) / (1.0 - y))
    )
    if between[0]:
        found += between[0] * surplus(at_stable * (1 - x) / ((1 - at_stable) * x))
    if between[1]:
        found += between[1] * surplus(at_canary * (1 - y) / ((1 - at_canary) * y))
    return found


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
