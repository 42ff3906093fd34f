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
            sums[_LOOKUP_US] += lookup_us
            items, hits = counted(receipt, tier)
            sums[_LOOKUPS] += items
            sums[_HITS] += hits
            if hits:
                _saved(sums, receipt, hits)
            if hits == items:
                _timed(whole, receipt)
                continue
            sums[_MISS_US] += lookup_us
            _observe(whole.miss_s, lookup_s)
            if not hits:
                _missed(sums, receipt, items)

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
    whole_s, semantic_s = receipt.cache_lookup_s, receipt.cache_semantic_s
    if receipt.endpoint == "embeddings":
        if whole_s is not None and receipt.cache_items:
            yield "embeddings", whole_s
        return
    if whole_s is not None and (semantic_s is None or whole_s > semantic_s):
        yield "exact", whole_s - (semantic_s or 0.0)
    if semantic_s is not None:
        yield "semantic", semantic_s
    elif receipt.cache_tier == "semantic":  # it had what another had found
        yield "semantic", 0.0


def counted(receipt: Receipt, tier: Tier) -> tuple[int, int]:
    """For how many answers the tier looked, and how many it had: of embeddings each item is one."""
    if tier == "embeddings":
        return receipt.cache_items or 0, receipt.cache_item_hits or 0
    return 1, receipt.cache_tier == tier and receipt.cache in ANSWERED


def _saved(sums: list[int], receipt: Receipt, hits: int) -> None:
    if receipt.saved_nanousd is None:
        sums[_UNKNOWN] += hits
    else:
        sums[_SAVED] += receipt.saved_nanousd


def _timed(whole: CacheBin, receipt: Receipt) -> None:
    """A request that asked nobody."""
    sums = whole.sums
    sums[_HIT_US] += _micros(receipt.total_s)
    sums[_SAVED_US] += _micros(receipt.saved_s)
    if receipt.total_s is not None:
        _observe(whole.hit_s, receipt.total_s)


def _missed(sums: list[int], receipt: Receipt, items: int) -> None:
    """A request that a model answered, as far as is known."""
    if receipt.is_kept_answer or receipt.error_code is not None:
        return
    if receipt.cost_nanousd is not None:
        sums[_MISSED] += items
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
