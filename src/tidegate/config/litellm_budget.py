"""LiteLLM's budgets: an amount, a duration, and the moment at which what was spent is forgotten.

There everything is forgotten at that moment. A period of our calendar (UTC) that ends then does
the same; where none does, the window rolls on, and what was spent there leaves it at that moment.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tidegate.config.moving import Findings
from tidegate.core.declared_limits import MAX_WINDOW_S
from tidegate.core.key_limits import KeyLimits
from tidegate.core.periods import period_at
from tidegate.core.plan import PeriodUnit
from tidegate.core.units import usd_to_nanousd

_MOST_NANOUSD: Final = 10**18
_WORDS: Final = {"hourly": "1h", "daily": "24h", "weekly": "7d", "monthly": "30d"}
_DURATION: Final = re.compile(r"(\d{1,6})(mo|[smhdw])")
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MONTH_S: Final = 30 * 86_400
# Lengths that end where a period of the calendar may end too.
_CALENDAR: Final[Mapping[str, PeriodUnit]] = {
    "1h": "hour",
    "1d": "day",
    "24h": "day",
    "7d": "week",
    "1w": "week",
    "30d": "month",
    "1mo": "month",
    "3mo": "quarter",
}
_SAME_MOMENT_S: Final = 60.0
EVER_S: Final = 1.0  # what was spent some time; a lifetime's budget alone counts it
_ALERTS: Final[tuple[int, ...]] = (50, 80, 100)


class Budget(Struct, frozen=True):
    """What may be spent, in what period of ours; what was spent there counts at `at_s`."""

    amount_nanousd: int
    unit: PeriodUnit | None
    rolling_s: float | None
    hard: bool
    alerts: tuple[int, ...]
    at_s: float


def nanousd(dollars: object) -> int | None:
    """Their floating-point dollars to the nano-dollar; None for none, and for what is no amount."""
    if dollars is None or isinstance(dollars, bool):
        return None
    value = float(str(dollars))
    if not math.isfinite(value) or value < 0:
        return None
    return min(usd_to_nanousd(Decimal(repr(value))), _MOST_NANOUSD)


def _is_negative(dollars: object) -> bool:
    """There it is spent before anything is."""
    return dollars is not None and not isinstance(dollars, bool) and float(str(dollars)) < 0


def moment_s(at: object) -> float | None:
    """Their moment, which is of UTC, on the wall clock."""
    if not isinstance(at, datetime):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def budget_of(row: Mapping[str, Any], what: str, now_s: float, found: Findings) -> Budget | None:
    """The budget that a row of theirs states; None where it states none."""
    most, soft = nanousd(row.get("max_budget")), nanousd(row.get("soft_budget"))
    if most is None and _is_negative(row.get("max_budget")):
        most = 0
    if most is None and soft is None:
        return None
    hard = most is not None
    amount = most if most is not None else soft
    assert amount is not None  # noqa: S101 - one of them is there
    if amount == 0:
        message = "nothing may be spent there; a budget of a nano-dollar refuses what costs more"
        found.changed(f"{what}.max_budget 0", "budget $0.000000001", message)
        amount = 1
    unit, rolling_s, at_s = _period(row, what, now_s, found)
    alerts = _ALERTS
    if hard and soft:
        percent = max(1, min(1000, round(100 * soft / amount)))
        alerts = tuple(sorted({*_ALERTS, percent}))
        found.carried(f"{what}.soft_budget", "an alert of the budget, in percent")
    found.carried(f"{what}.max_budget" if hard else f"{what}.soft_budget", "budget")
    return Budget(amount, unit, rolling_s, hard, alerts, at_s)


def _period(
    row: Mapping[str, Any], what: str, now_s: float, found: Findings
) -> tuple[PeriodUnit | None, float | None, float]:
    """A unit of the calendar or a length, and when what was spent there began to count: the same
    moment whenever in the period it is asked."""
    duration, reset_s = row.get("budget_duration"), moment_s(row.get("budget_reset_at"))
    if not duration:
        return "lifetime", None, EVER_S
    text = str(duration).strip().lower()
    text = _WORDS.get(text, text)
    match = _DURATION.fullmatch(text)
    if match is None:
        said = "it is no duration, and LiteLLM forgets what was spent at each midnight"
        found.changed(f"{what}.budget_duration {duration}", "per: day", said)
        return "day", None, float(period_at("day", "UTC", now_s).start_s)
    count, of = int(match[1]), match[2]
    length_s = float(count * (_MONTH_S if of == "mo" else _UNITS_S[of]))
    unit = _CALENDAR.get(text)
    if unit is not None:
        period = period_at(unit, "UTC", now_s)
        if reset_s is None or abs(period.end_s - reset_s) <= _SAME_MOMENT_S:
            found.carried(f"{what}.budget_duration {duration}", f"per: {unit}")
            return unit, None, float(period.start_s)
        if reset_s <= now_s:
            found.carried(f"{what}.budget_duration {duration}", f"per: {unit}")
            return unit, None, float(period.start_s) - 1.0  # it is forgotten there by now
    length_s = min(max(length_s, 1.0), MAX_WINDOW_S)
    said = (
        "it rolls on; what was spent there is forgotten at the moment that it was to be, what is "
        "spent here by and by"
    )
    found.changed(f"{what}.budget_duration {duration}", "per: its length", said)
    return None, length_s, now_s if reset_s is None else min(reset_s - length_s, now_s)


def filled(row: Mapping[str, Any], linked: Mapping[str, Any]) -> dict[str, Any]:
    """The row with what only the budget that it names says."""
    own = {name: value for name, value in row.items() if value is not None}
    names = ("max_budget", "soft_budget", "budget_duration", "budget_reset_at")
    return {**{name: linked.get(name) for name in names}, **own}


def limits_of(budget: Budget | None, counts: list[int | None]) -> KeyLimits | None:
    """What a key is held to: its budget, and requests and tokens a minute and requests at once."""
    requests, tokens, at_once = counts
    rates = KeyLimits(
        requests_per_minute=requests, tokens_per_minute=tokens, max_parallel_requests=at_once
    )
    if budget is None:
        return None if rates == KeyLimits() else rates
    return replace(
        rates,
        budget_nanousd=budget.amount_nanousd,
        budget_unit=budget.unit,
        budget_s=budget.rolling_s,
        budget_hard=budget.hard,
        budget_alerts=budget.alerts,
    )
