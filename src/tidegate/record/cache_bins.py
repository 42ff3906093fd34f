"""Folds receipts of routes that keep answers into a tier's sums, in memory, until they are stored.

A request that two tiers looked for is a lookup of each: what the first cost it was paid in vain.
"""

from collections.abc import Iterator
from math import isfinite
from typing import Final

from tidegate.core.cache import ANSWERED, Tier
from tidegate.core.cache_worth import BLOCK_S, SUMS, CacheBin, CacheKey
from tidegate.core.receipt import Receipt
from tidegate.stats.histogram import bucket_of

_LAST_S: Final = 253_402_300_799.0
_MICROS: Final = 1e6
_MOST_US: Final = 86_400_000_000
_LOOKUPS, _HITS, _HIT_US, _SAVED_US, _SAVED, _UNKNOWN, _SPENT = range(7)
_LOOKUP_US, _MISS_US, _MISSED, _MISSED_NANOUSD, _MISSED_US = range(7, len(SUMS))


class CacheBins:
    """What was folded since it was taken last. One thread."""

    def __init__(self) -> None:
        self._bins: dict[CacheKey, CacheBin] = {}

    def __len__(self) -> int:
        return len(self._bins)

    def fold(self, receipt: Receipt) -> None:
        """Count a receipt whose `cache` says something."""
        if receipt.cache == "refresh":
            self._bin(receipt, "exact").sums[_SPENT] += receipt.cost_nanousd or 0
            return
        if not receipt.is_production:
            return
        for tier, lookup_s in lookups_of(receipt):
            whole = self._bin(receipt, tier)
            sums, lookup_us = whole.sums, _micros(lookup_s)
            sums[_LOOKUPS] += 1
            sums[_LOOKUP_US] += lookup_us
            if receipt.cache_tier == tier and receipt.cache in ANSWERED:
                _hit(whole, receipt)
            else:
                sums[_MISS_US] += lookup_us
                _observe(whole.miss_s, lookup_s)
                _missed(sums, receipt)

    def take(self) -> dict[CacheKey, CacheBin]:
        """All that is there, which is forgotten."""
        taken, self._bins = self._bins, {}
        return taken

    def _bin(self, receipt: Receipt, tier: Tier) -> CacheBin:
        key = CacheKey(_start_s(receipt), receipt.route or "", tier, receipt.team or "")
        found = self._bins.get(key)
        if found is None:
            found = self._bins[key] = CacheBin()
        return found


def lookups_of(receipt: Receipt) -> Iterator[tuple[Tier, float]]:
    """Which tiers looked for an answer, and the seconds that each took."""
    if receipt.cache_lookup_s is not None:
        yield "exact", receipt.cache_lookup_s


def _hit(whole: CacheBin, receipt: Receipt) -> None:
    sums = whole.sums
    sums[_HITS] += 1
    sums[_HIT_US] += _micros(receipt.total_s)
    sums[_SAVED_US] += _micros(receipt.saved_s)
    if receipt.saved_nanousd is None:
        sums[_UNKNOWN] += 1
    else:
        sums[_SAVED] += receipt.saved_nanousd
    if receipt.total_s is not None:
        _observe(whole.hit_s, receipt.total_s)


def _missed(sums: list[int], receipt: Receipt) -> None:
    if receipt.error_code is None and receipt.cost_nanousd is not None:
        sums[_MISSED] += 1
        sums[_MISSED_NANOUSD] += receipt.cost_nanousd
        sums[_MISSED_US] += _micros(receipt.total_s)


def _start_s(receipt: Receipt) -> int:
    ended_s = receipt.started_at_s + (receipt.total_s or 0.0)
    if not 0.0 <= ended_s <= _LAST_S:
        return 0
    return int(ended_s // BLOCK_S) * BLOCK_S


def _micros(seconds: float | None) -> int:
    if seconds is None or not isfinite(seconds):
        return 0
    return min(max(round(seconds * _MICROS), 0), _MOST_US)


def _observe(histogram: dict[int, int], seconds: float) -> None:
    if isfinite(seconds):
        bucket = bucket_of(seconds)
        histogram[bucket] = histogram.get(bucket, 0) + 1
