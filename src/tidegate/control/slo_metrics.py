"""Objectives on `/metrics`: requests that were judged by each, and those that were bad, as the loop
counts them. Every objective is there from 0 on, so that a rate is known from the first request."""

from collections.abc import Mapping
from typing import Final

from tidegate.control.label import label
from tidegate.core.block import Tally
from tidegate.core.objective import Indicator

REQUESTS: Final = "tidegate_slo_requests_total"
BAD: Final = "tidegate_slo_bad_requests_total"
_HEADS: Final = {
    REQUESTS: "Requests that an objective of the route judged.",
    BAD: "Requests that an objective of the route found bad.",
}


def render(totals: Mapping[tuple[str, Indicator], Tally]) -> bytes:
    """The series in Prometheus' text form; nothing where there are no objectives."""
    if not totals:
        return b""
    lines = []
    for name, text in _HEADS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} counter"]
        for (route, sli), tally in totals.items():
            count = tally.bad if name == BAD else tally.judged
            lines.append(f'{name}{{route="{label(route)}",sli="{sli}"}} {count}')
    return ("\n".join(lines) + "\n").encode()
