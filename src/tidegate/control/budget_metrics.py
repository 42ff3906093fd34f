"""Budgets on `/metrics`: at most ten values of a scope for each, as they stood at the last look."""

from collections.abc import Iterable

from tidegate.control.alerting import Ratio
from tidegate.control.exposition import label

_MOST_SERIES = 2000
_USED = """\
# HELP tidegate_budget_used_ratio Spent in this period over what is allowed, by budget and scope.
# TYPE tidegate_budget_used_ratio gauge
"""
_FORECAST = """\
# HELP tidegate_budget_forecast_ratio Forecast at the period's end over what is allowed.
# TYPE tidegate_budget_forecast_ratio gauge
"""


def render(ratios: list[Ratio]) -> bytes:
    """The series in Prometheus' text form."""
    shown = ratios[:_MOST_SERIES]
    used = _lines("tidegate_budget_used_ratio", ((one, one.used) for one in shown))
    forecast = _lines("tidegate_budget_forecast_ratio", ((one, one.forecast) for one in shown))
    return f"{_USED}{used}{_FORECAST}{forecast}".encode()


def _lines(name: str, values: Iterable[tuple[Ratio, float | None]]) -> str:
    return "".join(
        f'{name}{{budget="{label(one.budget)}",scope="{label(one.scope)}"}} {value!r}\n'
        for one, value in values
        if value is not None
    )
