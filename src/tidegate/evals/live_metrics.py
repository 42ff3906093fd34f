"""The grading of live answers on `/metrics`."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from tidegate.control.exposition import Heads, exposed, label
from tidegate.evals.live_sampling import ServedBy

MOST_SERIES: Final = 500
_OTHERS: Final = "(others)"
_NANOUSD_A_USD: Final = 1e9
_HEADS: Final[Heads] = {
    "tidegate_quality_graded_total": ("counter", "Live answers that were graded."),
    "tidegate_quality_bad_total": ("counter", "Live answers that were found bad."),
    "tidegate_quality_errors_total": ("counter", "Live answers of which no verdict came."),
    "tidegate_quality_cost_usd_total": ("counter", "What the judges of live answers cost."),
    "tidegate_quality_ungraded_since_timestamp_seconds": (
        "gauge",
        "Since when the live answers of a route are not graded as declared; absent where they are.",
    ),
    "tidegate_quality_budget_used": (
        "gauge",
        "Share of what judges of a route may cost in a day (UTC) that is spent.",
    ),
    "tidegate_quality_waiting": ("gauge", "Captured answers that may be graded."),
}


class Standing(NamedTuple):
    """How the grading of one route stands. `since_s` None: it is graded as declared."""

    route: str
    since_s: float | None
    used: float
    waiting: int


class Counts:
    """Since this control started. Written by one thread; `MOST_SERIES` of each, the rest as
    others."""

    def __init__(self) -> None:
        self.graded: Counter[tuple[str, str, str]] = Counter()
        self.bad: Counter[tuple[str, str, str]] = Counter()
        self.errors: Counter[tuple[str, str, str]] = Counter()
        self.cost_nanousd: Counter[str] = Counter()

    def add(self, route: str, served_by: ServedBy, is_bad: bool | None, cost: int | None) -> None:
        """One that was graded; None where nobody knows."""
        whose = route, served_by.arm or "", served_by.prompt_version or ""
        if whose not in self.graded and len(self.graded) >= MOST_SERIES:
            whose = route, _OTHERS, _OTHERS
        self.graded[whose] += 1
        self.bad[whose] += is_bad is True
        self.errors[whose] += is_bad is None
        self.cost_nanousd[route] += cost or 0

    def render(self, standing: Iterable[Standing]) -> bytes:
        """In Prometheus' text form; from another thread too."""
        every = list(standing)
        costs = sorted(self.cost_nanousd.copy().items())
        series = {
            "tidegate_quality_graded_total": _by_whose(self.graded),
            "tidegate_quality_bad_total": _by_whose(self.bad),
            "tidegate_quality_errors_total": _by_whose(self.errors),
            "tidegate_quality_cost_usd_total": [
                f'{{route="{label(route)}"}} {cost / _NANOUSD_A_USD:.9f}' for route, cost in costs
            ],
            "tidegate_quality_ungraded_since_timestamp_seconds": [
                f'{{route="{label(it.route)}"}} {it.since_s:.3f}'
                for it in every
                if it.since_s is not None
            ],
            "tidegate_quality_budget_used": [
                f'{{route="{label(it.route)}"}} {it.used:.6f}' for it in every
            ],
            "tidegate_quality_waiting": [
                f'{{route="{label(it.route)}"}} {it.waiting}' for it in every
            ],
        }
        return exposed(_HEADS, series)


def _by_whose(counts: Counter[tuple[str, str, str]]) -> list[str]:
    return [
        f'{{route="{label(route)}",arm="{label(arm)}",prompt_version="{label(version)}"}} {count}'
        for (route, arm, version), count in sorted(counts.copy().items())
    ]
