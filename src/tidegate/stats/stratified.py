"""A share of all from samples of its parts, where each part is sampled as often as any other.

The estimate weighs each part by how much of the whole it is, so that it is that of the whole
whatever was sampled of which part (Cochran, Sampling Techniques, 1977, section 5.3).
"""

from collections.abc import Iterable
from math import sqrt
from typing import Final, NamedTuple

Z_95: Final = 1.959963984540054


class Part(NamedTuple):
    """Of `size` there are, `known` were looked at and `bad` of those were bad."""

    size: int
    known: int
    bad: int


class Share(NamedTuple):
    """A share with its interval of 95 %. `covered`: of how much of the whole it is known, as a
    share; of the rest nothing was looked at, and it is taken to be like what was."""

    share: float
    low: float
    high: float
    covered: float = 1.0


def wilson(bad: float, known: float) -> tuple[float, float]:
    """Wilson's score interval of 95 % for `bad` of `known`, which need be no whole numbers."""
    if known <= 0:
        return 0.0, 1.0
    share, z2 = bad / known, Z_95 * Z_95
    middle = (share + z2 / (2 * known)) / (1 + z2 / known)
    half = Z_95 / (1 + z2 / known) * sqrt(share * (1 - share) / known + z2 / (4 * known * known))
    return max(0.0, middle - half), min(1.0, middle + half)


def overall(parts: Iterable[Part]) -> Share | None:
    """The share of bad in the whole; None where nothing is known of any part that there is.

    The interval is Wilson's at the size of a plain sample that would have the same variance. For
    that variance a part's share is taken as (bad + 1) / (known + 2): a part in which nothing was
    bad yet is not known to have nothing bad.
    """
    every = [part for part in parts if part.size > 0]
    seen = [part for part in every if part.known > 0]
    size = sum(part.size for part in seen)
    if not size:
        return None
    share = sum(part.size / size * part.bad / part.known for part in seen)
    variance, plain = 0.0, 0.0
    for part in seen:
        weight, likely = part.size / size, (part.bad + 1) / (part.known + 2)
        variance += weight * weight * likely * (1 - likely) / part.known
        plain += weight * likely
    known = plain * (1 - plain) / variance
    low, high = wilson(share * known, known)
    return Share(share, low, high, size / sum(part.size for part in every))
