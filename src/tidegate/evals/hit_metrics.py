"""The judging of kept answers on `/metrics`."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from tidegate.control.exposition import Heads, exposed, label
from tidegate.evals.live_metrics import Standing
from tidegate.evals.live_sampling import ServedBy

MOST_SERIES: Final = 500
_NANOUSD_A_USD: Final = 1e9
_HEADS: Final[Heads] = {
    "tidegate_quality_hits_judged_total": ("counter", "Kept answers that were judged."),
    "tidegate_quality_hits_bad_total": ("counter", "Kept answers that were found bad."),
    "tidegate_quality_hits_errors_total": ("counter", "Kept answers of which no verdict came."),
    "tidegate_quality_hits_cost_usd_total": ("counter", "What the judges of kept answers cost."),
    "tidegate_quality_hits_waiting": ("gauge", "Captured kept answers that may be judged."),
    "tidegate_quality_hits_unjudged_since_timestamp_seconds": (
        "gauge",
        "Since when the kept answers of a route are not judged as declared; absent where they are.",
    ),
}


class HitCounts:
    """`evals.live_matter.Counted`. A stratum is as `stores.judged_hits.stratum_name` says."""

    def __init__(self) -> None:
        self.judged: Counter[tuple[str, str]] = Counter()
        self.bad: Counter[tuple[str, str]] = Counter()
        self.errors: Counter[tuple[str, str]] = Counter()
        self.cost_nanousd: Counter[str] = Counter()

    def add(self, route: str, served_by: ServedBy, is_bad: bool | None, cost: int | None) -> None:
        whose = route, served_by.arm or ""
        if whose not in self.judged and len(self.judged) >= MOST_SERIES:
            whose = route, "(others)"
        self.judged[whose] += 1
        self.bad[whose] += is_bad is True
        self.errors[whose] += is_bad is None
        self.cost_nanousd[route] += cost or 0

    def render(self, standing: Iterable[Standing]) -> bytes:
        every = list(standing)
        series = {
            "tidegate_quality_hits_judged_total": _by_stratum(self.judged),
            "tidegate_quality_hits_bad_total": _by_stratum(self.bad),
            "tidegate_quality_hits_errors_total": _by_stratum(self.errors),
            "tidegate_quality_hits_cost_usd_total": [
                f'{{route="{label(route)}"}} {cost / _NANOUSD_A_USD:.9f}'
                for route, cost in sorted(self.cost_nanousd.copy().items())
            ],
            "tidegate_quality_hits_waiting": [
                f'{{route="{label(it.route)}"}} {it.waiting}' for it in every
            ],
            "tidegate_quality_hits_unjudged_since_timestamp_seconds": [
                f'{{route="{label(it.route)}"}} {it.since_s:.3f}'
                for it in every
                if it.since_s is not None
            ],
        }
        return exposed(_HEADS, series)


def _by_stratum(counts: Counter[tuple[str, str]]) -> list[str]:
    return [
        f'{{route="{label(route)}",stratum="{label(stratum)}"}} {count}'
        for (route, stratum), count in sorted(counts.copy().items())
    ]
