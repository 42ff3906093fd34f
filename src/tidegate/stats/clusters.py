"""Are a unit's requests alike? Then they count for less, and units are compared, not requests.

The design effect is 1 + (requests a unit - 1) x intra-class correlation: by so much the variance of
a mean of requests is larger than of as many independent ones. Where units differ in size, requests
a unit - 1 is twice the pairs of requests of one unit over the requests (Kish).
"""

from math import sqrt
from typing import Final

from tidegate.core.block import Moments

# Below it requests are compared: the error rate moves by less than its own uncertainty.
LEAST_DESIGN_EFFECT: Final = 1.2
_LEAST_UNITS: Final = 100
_ERRORS: Final = 3.0


def most_share_correlation(rate: float, pairs: int, bad_pairs: int) -> float:
    """The correlation within units of a share that cannot be ruled out, from 0 to 1.

    Of independent requests rate^2 of the pairs are both bad, of others rate x (1 - rate) x
    correlation more. To the count come three of its standard errors.
    """
    if not pairs or not 0 < rate < 1:
        return 1.0
    most = bad_pairs + _ERRORS * sqrt(bad_pairs + 1) + 1
    return min(1.0, max(0.0, (most / pairs - rate * rate) / (rate * (1 - rate))))


def most_correlation(units: Moments, request_variance: float, inverse_size: float) -> float:
    """The same of an amount, by the means of units; `inverse_size` is the mean of 1 / requests.

    Var(mean of n requests) = variance x (correlation + (1 - correlation) / n), solved for the
    correlation, plus standard errors.
    """
    if units.count < _LEAST_UNITS or request_variance <= 0 or inverse_size > 0.99:
        return 1.0
    variance = (units.squares - units.total * units.total / units.count) / (units.count - 1)
    relative = variance / request_variance
    most = relative * (1 + _ERRORS * sqrt(2 / units.count))
    return min(1.0, max(0.0, (most - inverse_size) / (1 - inverse_size)))


def design_effect(requests: int, pairs: int, correlation: float) -> float:
    """Of all requests there are."""
    return 1 + 2 * pairs / requests * correlation if requests else 1.0
