"""Bounds that hold at all times at once, however often one looks and whenever one stops.

Of a share: Robbins' mixture of likelihood ratios with a beta prior, exact for independent
observations. Of a mean: the normal mixture of `mean_test`, asymptotic.
"""

from collections.abc import Callable
from functools import lru_cache
from math import inf, lgamma, log, sqrt
from typing import Final, NamedTuple

from tidegate.stats.mean_test import half_width

# Jeffreys' prior: hardly wider than the best for any share.
_PRIOR: Final = 0.5
_HALVINGS: Final = 50
_EDGE: Final = 1e-15
_IsOut = Callable[[float], bool]


class Interval(NamedTuple):
    low: float
    high: float


@lru_cache(maxsize=4096)
def share(judged: float, bad: float, alpha: float) -> Interval:
    """Of which share `bad` of `judged` may be, with a chance of error of `alpha` over all looks.
    Counts need not be whole: what goes together counts for less."""
    if judged <= 0:
        return Interval(0.0, 1.0)
    bad = min(max(bad, 0.0), judged)
    good = judged - bad
    ln_mixture = _ln_beta(bad + _PRIOR, good + _PRIOR) - _ln_beta(_PRIOR, _PRIOR)
    least = ln_mixture + log(alpha)  # the likelihood of what is not excluded is more

    def is_out(p: float) -> bool:
        likelihood = (bad * log(p) if bad else 0.0) + (good * log(1 - p) if good else 0.0)
        return likelihood < least

    middle = min(max(bad / judged, _EDGE), 1 - _EDGE)
    low = 0.0 if not bad else _edge(is_out, _EDGE, middle)
    high = 1.0 if not good else _edge(is_out, 1 - _EDGE, middle)
    return Interval(low, high)


def mean(value: float, variance: float, count: float, alpha: float) -> Interval:
    """Of which mean `count` observations with this mean and variance may be."""
    if count <= 0:
        return Interval(-inf, inf)
    wide = sqrt(variance) * half_width(count, alpha)
    return Interval(value - wide, value + wide)


def _edge(is_out: _IsOut, out: float, within: float) -> float:
    """Where what is excluded ends; `out` itself where it is not excluded."""
    if not is_out(out):
        return out
    for _ in range(_HALVINGS):
        half = (out + within) / 2
        if is_out(half):
            out = half
        else:
            within = half
    return out


def _ln_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
