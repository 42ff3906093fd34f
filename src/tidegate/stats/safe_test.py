"""Is the canary's share of bad requests less than a margin above the stable arm's? An e-process.

The null hypothesis is that it is worse by the margin or more. Each block's likelihood ratio is of
"both arms have the rate seen so far" against the nearest point of the null, (x, x + margin), which
minimises the divergence: exact for finite samples where the usual confidence sequence lets one in
seven releases at the margin pass (safe tests for 2x2 tables, convex null).
"""

from math import log, log1p
from typing import Final

from tidegate.stats.harm_test import Share

_EDGE: Final = 1e-9
_HALVINGS: Final = 24


def nearest_null(rate: float, margin: float, stable_share: float) -> float:
    """The stable arm's rate at that point; `stable_share` is its part of the observations.

    Bisection on the derivative of share KL(rate, x) + (1 - share) KL(rate, x + margin).
    """
    low = max(_EDGE, rate - margin)
    high = max(low, min(rate, 1 - margin - _EDGE))
    for _ in range(_HALVINGS):
        x = (low + high) / 2
        y = x + margin
        slope = stable_share * (x - rate) / (x * (1 - x))
        slope += (1 - stable_share) * (y - rate) / (y * (1 - y))
        if slope < 0:
            low = x
        else:
            high = x
    return (low + high) / 2


def growth(rate: float, margin: float, stable: Share, canary: Share) -> float:
    """What a block adds to ln of the e-value."""
    n_a, k_a = stable
    n_b, k_b = canary
    if not n_a or not n_b or margin >= 1 - 2 * _EDGE:
        return 0.0
    x = nearest_null(rate, margin, n_a / (n_a + n_b))
    y = x + margin
    ln_rate, ln_rest = log(rate), log1p(-rate)
    return (
        k_a * (ln_rate - log(x))
        + (n_a - k_a) * (ln_rest - log1p(-x))
        + k_b * (ln_rate - log(y))
        + (n_b - k_b) * (ln_rest - log1p(-y))
    )


def expected(rate: float, margin: float, stable_share: float) -> float:
    """What one observation of either arm adds to ln of the e-value if both have that rate."""
    if margin >= 1 - 2 * _EDGE:
        return 0.0
    x = nearest_null(rate, margin, stable_share)
    of_stable = divergence(rate, x)
    return stable_share * of_stable + (1 - stable_share) * divergence(rate, x + margin)


def divergence(rate: float, other: float) -> float:
    """Kullback and Leibler's, of two shares, neither of them 0 or 1."""
    return rate * log(rate / other) + (1 - rate) * (log1p(-rate) - log1p(-other))
