"""Student's t: how far a mean of few values may lie from the truth."""

from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
_TINY: Final = 1e-300
_CLOSE: Final = 1e-14
_MOST_TERMS: Final = 500
_MANY: Final = 1e6


def beta_share(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22,
    evaluated as Lentz does)."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_share(b, a, 1.0 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away(1.0 + term * d)
            c = _away(1.0 + term / c)
            fraction *= c * d
        if abs(c * d - 1.0) < _CLOSE:
            break
    return front * fraction


def _away(value: float) -> float:
    """From zero."""
    return value if abs(value) > _TINY else _TINY


def t_share(t: float, freedom: float) -> float:
    """The share of Student's distribution below `t`."""
    squared = t * t
    if squared < freedom:  # near the middle the tails tell nothing
        half = 0.5 * beta_share(0.5, freedom / 2, squared / (freedom + squared))
        return 0.5 + half if t > 0 else 0.5 - half
    tail = 0.5 * beta_share(freedom / 2, 0.5, freedom / (freedom + squared))
    return 1.0 - tail if t > 0 else tail


@lru_cache(maxsize=4096)
def t_quantile(share: float, freedom: float) -> float:
    """Below which `share` of it lies; with a million degrees of freedom it is the normal one's.
    ValueError outside (0, 1) or without a degree of freedom."""
    if not 0 < share < 1 or freedom <= 0:
        raise ValueError("a share between 0 and 1, and at least some freedom")
    if freedom >= _MANY:
        return _NORMAL.inv_cdf(share)
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while t_share(high, freedom) < share:
        low, high = high, high * 4
    while high - low > 1e-12 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (middle, high) if t_share(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def half_width(count: int, variance: float, share: float) -> float:
    """How far the mean of `count` values of that variance may be from the true one, one-sided, in
    all but `1 - share` of samples. ValueError with fewer than two."""
    return t_quantile(share, count - 1) * sqrt(variance / count)
