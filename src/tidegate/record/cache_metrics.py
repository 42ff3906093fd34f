"""What tiers of caches had and what they cost, by route and tier, as series of `/metrics`."""

from collections.abc import Callable

from tidegate.core.receipt import Receipt
from tidegate.record import cache_catalogue
from tidegate.record.cache_bins import counted, lookups_of
from tidegate.record.series import Cell, Family, Labels, Spec

_NANOUSD_A_USD = 1e9
_KEPT_COMBINATIONS = 4096


class CacheMetrics:
    """Adds receipts to its families. What a combination of labels touches is looked up once."""

    def __init__(self, family: Callable[[Spec], Family]) -> None:
        self._family = family
        self._cells: dict[Labels, _Cells] = {}

    def observe(self, receipt: Receipt) -> None:
        """A request whose `cache` says something."""
        if receipt.cache == "refresh":
            cost_usd = (receipt.cost_nanousd or 0) / _NANOUSD_A_USD
            self._of(receipt.route or "", "exact").refreshed.add(cost_usd)
            return
        for tier, lookup_s in lookups_of(receipt):
            cells = self._of(receipt.route or "", tier)
            items, hits = counted(receipt, tier)
            cells.hits.add(hits)
            cells.misses.add(items - hits)
            if hits and receipt.saved_nanousd is None:
                cells.unknown.add(hits)
            if hits == items:
                cells.timed(receipt)
            else:
                cells.miss_s.observe(lookup_s)

    def _of(self, *whose: str) -> "_Cells":
        cells = self._cells.get(whose)
        if cells is None:
            if len(self._cells) >= _KEPT_COMBINATIONS:
                self._cells.clear()
            cells = self._cells[whose] = _Cells(self._family, whose)
        return cells


class _Cells:
    def __init__(self, family: Callable[[Spec], Family], whose: Labels) -> None:
        lookups = family(cache_catalogue.CACHE_LOOKUPS)
        self.hits, self.misses = (lookups.cell(*whose, it) for it in ("hit", "miss"))
        self.hit_s: Cell = family(cache_catalogue.CACHE_HIT_SECONDS).cell(*whose)
        self.miss_s: Cell = family(cache_catalogue.CACHE_MISS_SECONDS).cell(*whose)
        self.saved_s: Cell = family(cache_catalogue.CACHE_SAVED_SECONDS).cell(*whose)
        self.unknown: Cell = family(cache_catalogue.CACHE_SAVED_UNKNOWN).cell(*whose)
        self.refreshed: Cell = family(cache_catalogue.CACHE_REFRESHED).cell(*whose)

    def timed(self, receipt: Receipt) -> None:
        """A request that asked nobody."""
        if receipt.total_s is not None:
            self.hit_s.observe(receipt.total_s)
        self.saved_s.add(receipt.saved_s or 0.0)
