"""Are a unit's requests alike? Then they count for less, and units are compared, not requests.

The design effect is 1 + (requests a unit - 1) x intra-class correlation: by so much the variance of
a mean of requests is larger than of as many independent ones.
"""

from math import sqrt
from typing import Final

from tidegate.core.block import Moments

# Below it requests are compared: the error rate moves by less than its own uncertainty.
LEAST_DESIGN_EFFECT: Final = 1.2
_LEAST_UNITS: Final = 100


def most_correlation(units: Moments, request_variance: float, inverse_size: float) -> float:
    """The correlation within units that cannot be ruled out, from 0 to 1.

    Var(mean of n requests) = variance x (correlation + (1 - correlation) / n), solved for the
    correlation, plus two standard errors. `inverse_size` is the mean of 1 / n. A rare share tells
    as much as it has bad units: of none nothing is known, and that is 1.
    """
    if units.count < _LEAST_UNITS or request_variance <= 0 or inverse_size > 0.99:
        return 1.0
    variance = (units.squares - units.total * units.total / units.count) / (units.count - 1)
    if variance <= 0:
        return 1.0
    relative = variance / request_variance
    # The error of a variance by the fourth moment, which for a share is by its bad units.
    error = relative * sqrt(_kurtosis(units, variance) / units.count)
    found = (relative + 2 * error - inverse_size) / (1 - inverse_size)
    return min(1.0, max(0.0, found))


def _kurtosis(units: Moments, variance: float) -> float:
    """At least a normal distribution's 2; of a rare share 1 / mean is what it comes to."""
    mean = units.total / units.count
    return 2.0 if not 0 < mean < 1 else max(2.0, mean * (1 - mean) / variance / mean)


def design_effect(requests: int, units: int, correlation: float) -> float:
    """Of all requests there are."""
    if not units:
        return 1.0
    return 1 + max(0.0, requests / units - 1) * correlation
