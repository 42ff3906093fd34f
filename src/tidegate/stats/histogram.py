"""Histograms in buckets that grow by a constant factor: mergeable, and as exact everywhere.

Bucket i holds the values above GAMMA**(i - 1) up to GAMMA**i and is read as 2 * GAMMA**i / (GAMMA
+ 1), at most `ERROR` of any value in it away (Masson, Rim, Lee: DDSketch, VLDB 2019). What is not
above `LEAST`, 0 with it, lies in the lowest bucket and is read as 0. A histogram is the number of
values by bucket; two of them are merged by adding.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, MutableMapping
from functools import lru_cache
from itertools import accumulate
from math import ceil, log
from typing import Final

ERROR: Final = 0.02
GAMMA: Final = (1 + ERROR) / (1 - ERROR)
LEAST: Final = 1e-6
MOST: Final = 1e12
_PER_LOG: Final = 1 / log(GAMMA)
LOWEST: Final = ceil(log(LEAST) * _PER_LOG)
HIGHEST: Final = ceil(log(MOST) * _PER_LOG)


def bucket_of(value: float) -> int:
    """The bucket of a value that is no NaN, in whatever unit."""
    if value <= LEAST:
        return LOWEST
    if value >= MOST:
        return HIGHEST
    return ceil(log(value) * _PER_LOG)


def value_of(bucket: int) -> float:
    """What a bucket is read as."""
    return 0.0 if bucket <= LOWEST else 2.0 * GAMMA**bucket / (GAMMA + 1.0)


def merge(into: MutableMapping[int, int], other: Mapping[int, int]) -> None:
    """Add what `other` counts."""
    for bucket, count in other.items():
        into[bucket] = into.get(bucket, 0) + count


def merged(histograms: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """One histogram of all of them."""
    whole: dict[int, int] = {}
    for one in histograms:
        merge(whole, one)
    return whole


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """The value that `share` of all values do not exceed (nearest rank); None without any."""
    buckets = sorted(histogram)
    return quantile_of_sorted(buckets, [histogram[bucket] for bucket in buckets], share)


def quantile_of_sorted(buckets: list[int], counts: list[int], share: float) -> float | None:
    """The same of buckets in ascending order and what each counts."""
    upto = list(accumulate(counts))
    if not upto or not upto[-1]:
        return None
    rank = max(ceil(share * upto[-1] - 1e-9), 1)
    return value_of(buckets[min(bisect_left(upto, rank), len(upto) - 1)])


def count_upto(buckets: list[int], counts: list[int], threshold: float) -> float:
    """How many values do not exceed the threshold, of buckets in ascending order and what each
    counts. Within the threshold's own bucket values are taken as spread evenly, so that the
    threshold is off by at most a bucket's width."""
    edge, part = _edge_of(threshold)
    at = bisect_left(buckets, edge)
    below = float(sum(counts[:at]))
    if at == len(buckets) or buckets[at] != edge or threshold < 0:
        return 0.0 if threshold < 0 else below
    return below + counts[at] * part


@lru_cache(maxsize=1024)
def _edge_of(threshold: float) -> tuple[int, float]:
    """The bucket of a threshold, and what part of it does not exceed that."""
    edge = bucket_of(threshold)
    if edge in (LOWEST, HIGHEST):
        return edge, 1.0
    low = GAMMA ** (edge - 1)
    return edge, min((threshold - low) / (low * (GAMMA - 1.0)), 1.0)
