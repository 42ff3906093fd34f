"""The limits of a key's own, from the words in which they are asked for."""

from decimal import Decimal
from typing import Any, Final

from tidegate.config.scalars import EXPECTED, READERS
from tidegate.control.errors import ApiError
from tidegate.control.shapes import NewKeyLimits
from tidegate.core.compile_limits import EACH_ALLOWS_ALL, counts_alone
from tidegate.core.declared import Declared
from tidegate.core.declared_budgets import Period
from tidegate.core.key_limits import KeyLimits
from tidegate.core.units import usd_to_nanousd

_DEFAULT_ALERTS: Final = KeyLimits().budget_alerts


def limits_asked(asked: NewKeyLimits | None) -> KeyLimits | None:
    """ApiError for what is no money or no period. None for no limit at all."""
    if asked is None:
        return None
    if (asked.budget is None) != (asked.budget_per is None):
        message = "budget and budget_per belong together: what may be spent, and in what time."
        raise ApiError("invalid_request", message, param="limits")
    money, period = None, Period()
    if asked.budget is not None and asked.budget_per is not None:
        money = nanousd_asked(asked.budget, "limits.budget")
        period = period_asked(asked.budget_per, "limits.budget_per")
    limits = KeyLimits(
        money,
        period.unit,
        period.rolling_s,
        asked.requests_per_minute,
        asked.tokens_per_minute,
        asked.max_parallel_requests,
        budget_hard=asked.budget_hard,
        budget_degrade=asked.budget_degrade,
        budget_alerts=_DEFAULT_ALERTS if asked.budget_alerts is None else asked.budget_alerts,
    )
    of_budget = limits.budget_alerts != _DEFAULT_ALERTS, not limits.budget_hard
    if money is None and any((*of_budget, limits.budget_degrade)):
        message = "budget_alerts, budget_hard and budget_degrade belong to a budget."
        raise ApiError("invalid_request", message, param="limits")
    check_alerts(limits.budget_alerts, says=limits.budget_hard or limits.budget_degrade)
    return None if limits == KeyLimits() else limits


def check_alerts(percents: tuple[int, ...], *, says: bool) -> None:
    """ApiError for a budget that would say nothing, and for parts out of order. `says`: something
    comes of it beside alerts."""
    if not percents and not says:
        message = "It neither refuses nor alerts: make it hard, or say percents in alerts."
        raise ApiError("invalid_request", message, param="alerts")
    if list(percents) != sorted(set(percents)):
        message = "Write the percents of alerts in rising order."
        raise ApiError("invalid_request", message, param="alerts")


def check_countable(limits: KeyLimits | None, declared: Declared) -> None:
    """ApiError where each of several gateway processes would allow the whole."""
    if limits is not None and counts_alone(declared):
        message = EACH_ALLOWS_ALL.format(what="limits that keys bring with them")
        raise ApiError("invalid_request", f"{message[:1].upper()}{message[1:]}.", param="limits")


def nanousd_asked(text: str, param: str) -> int:
    """Exact decimal dollars above 0, as the plan file reads them. ApiError."""
    amount: Decimal = _read("money", text, param)
    if amount <= 0:
        raise ApiError("invalid_request", f"{param} must be above 0.", param=param)
    return usd_to_nanousd(amount)


def period_asked(text: str, param: str) -> Period:
    """A budget's period, as the plan file reads it. ApiError."""
    period: Period = _read("budget_period", text, param)
    return period


def _read(kind: str, text: str, param: str) -> Any:
    try:
        return READERS[kind](text)
    except ValueError as error:
        why = str(error) or f"expected {EXPECTED[kind]}"
        raise ApiError("invalid_request", f"{param}: {why}.", param=param) from error
