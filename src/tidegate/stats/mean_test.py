"""Is the canary's mean higher? A normal mixture on the difference, block by block.

Each block gives one difference of the arms' means and its variance by what earlier blocks showed
(the first by its own stable arm: any variance that is consistent will do, Waudby-Smith, Arbour,
Sinha, Kennedy and Ramdas 2024); they are combined by their precision, never pooled, so that a rise
for everybody at a step of the weight is no difference. Effects are in standard deviations of the
stable arm. The mixture is the positive half of a normal distribution (Robbins; one-sided), of scale
`TAU` where safety is asked. Harm may be much larger, so it is a mean of that and of one of scale
`LARGE`, which is an e-process as each is. Asymptotic: `LEAST` observations of the canary come
before any verdict.
"""

from math import erfc, log, pi, sqrt
from typing import Final

from msgspec import Struct

from tidegate.core.block import Moments
from tidegate.stats.harm_test import ln_mean

TAU: Final = 0.2
LARGE: Final = 0.5
SCALES: Final = (TAU, LARGE)
LEAST: Final = 50
# In place of a variance of nothing: amounts that never vary are still not known to the last digit.
LEAST_VARIANCE: Final = 0.05**2
# The canary's variance begins as the stable arm's, worth so many observations.
_PRIOR: Final = 30
_FAR: Final = -8.0


class Strata(Struct, frozen=True, omit_defaults=True, gc=False):
    """Blocks combined: sum of their precisions, of precision x difference, and of precision x
    margin. All in standard deviations of the stable arm."""

    precision: float = 0.0
    weighted: float = 0.0
    margin: float = 0.0


def variance(moments: Moments, least: float) -> float:
    """Of one observation. `least` where there are too few to tell, or they hardly differ."""
    if moments.count < 2:
        return least
    spread = moments.squares - moments.total * moments.total / moments.count
    return max(least, spread / (moments.count - 1))


def canary_variance(stable: float, canary: Moments) -> float:
    """The canary's, drawn to the stable arm's while little is known."""
    own = max(0, canary.count - 1)
    return (own * variance(canary, LEAST_VARIANCE) + _PRIOR * stable) / (own + _PRIOR)


def joined(strata: Strata, difference: float, precision: float, margin: float) -> Strata:
    """With one more block."""
    return Strata(
        strata.precision + precision,
        strata.weighted + precision * difference,
        strata.margin + precision * margin,
    )


def ln_e(weighted: float, precision: float, scale: float = TAU) -> float:
    """ln of the e-value against "the mean is not above 0", of one scale."""
    if precision <= 0:
        return 0.0
    wider = 1 + scale * scale * precision
    z = weighted * scale / sqrt(wider)
    return log(2) - 0.5 * log(wider) + 0.5 * z * z + _ln_normal(z)


def ln_e_above(weighted: float, precision: float) -> float:
    """ln of the e-value against the same, of all scales."""
    return ln_mean([ln_e(weighted, precision, scale) for scale in SCALES])


def _ln_normal(z: float) -> float:
    """ln of the normal distribution function."""
    if z < _FAR:
        return -0.5 * z * z - log(-z) - 0.5 * log(2 * pi)
    return log(0.5 * erfc(-z / sqrt(2)))


def ln_e_harm(strata: Strata) -> float:
    return ln_e_above(strata.weighted, strata.precision)


def ln_e_safe(strata: Strata) -> float:
    """ln of the e-value against "the canary is above by the margin or more"."""
    return ln_e(strata.margin - strata.weighted, strata.precision)


def half_width(precision: float, alpha: float) -> float:
    """Of the interval of the difference that holds at all times at once (two-sided mixture)."""
    v = 1 / precision
    t = TAU * TAU
    return sqrt(v * (v + t) / t * log((v + t) / (v * alpha * alpha)))
