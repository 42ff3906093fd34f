"""Objectives on `/metrics`: requests that were judged by each, and those that were bad, as the loop
counts them. Every objective is there from 0 on, so that a rate is known from the first request."""

from collections.abc import Mapping
from typing import Final

from tidegate.control.exposition import Heads, exposed, label
from tidegate.core.block import Tally
from tidegate.core.objective import Indicator

REQUESTS: Final = "tidegate_slo_requests_total"
BAD: Final = "tidegate_slo_bad_requests_total"
_HEADS: Final[Heads] = {
    REQUESTS: ("counter", "Requests that an objective of the route judged."),
    BAD: ("counter", "Requests that an objective of the route found bad."),
}


def render(totals: Mapping[tuple[str, Indicator], Tally]) -> bytes:
    """The series in Prometheus' text form; nothing where there are no objectives."""
    series: dict[str, list[str]] = {REQUESTS: [], BAD: []}
    for (route, sli), tally in totals.items():
        named = f'{{route="{label(route)}",sli="{sli}"}}'
        series[REQUESTS].append(f"{named} {tally.judged}")
        series[BAD].append(f"{named} {tally.bad}")
    return exposed(_HEADS, series)
