"""LiteLLM's fields: which we take, which we leave and say so, and which we refuse by name.

A field with nothing in it asks for nothing. What would have granted or restricted anything and is
not supported here is refused, never dropped.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from tidegate.config.scalars import EXPECTED, READERS
from tidegate.control.errors import ApiError
from tidegate.control.key_limits import nanousd_asked, period_asked
from tidegate.core import clock
from tidegate.core.declared_budgets import MAX_BUDGET_USD, Period
from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Raise
from tidegate.core.units import format_duration, format_usd, usd_to_nanousd

S = TypeVar("S", bound=Struct)

Fields = dict[str, Raw]
# What says nothing of what a key, a team or a budget may do.
_HARMLESS = frozenset(
    {
        *("user_id", "user_email", "user_alias", "send_invite_email", "key_name", "created_by"),
        *("updated_by", "organization_id", "admins", "members", "members_with_roles", "spend"),
    }
)
_NOTHING = frozenset({b"null", b"{}", b"[]", b"false", b'""'})
# Its durations that are periods of the calendar, and how ours are told.
_CALENDAR: Mapping[str, str] = {
    "1d": "day",
    "24h": "day",
    "7d": "week",
    "30d": "month",
    "1mo": "month",
}
_WORDS: Mapping[str, str] = {"day": "1d", "week": "7d", "month": "30d"}
_LIFETIME = Period(unit="lifetime")


def take(given: Fields, shape: type[S]) -> tuple[S, list[str]]:
    """The fields that `shape` knows, and the names of those that are left. ApiError names one
    that is not supported, or is of a wrong type."""
    kept: Fields = {}
    left: list[str] = []
    for name, raw in given.items():
        if name in shape.__struct_fields__:
            kept[name] = raw
        elif bytes(raw).strip() in _NOTHING:
            continue
        elif name in _HARMLESS:
            left.append(name)
        else:
            message = f"{name[:64]} is not supported here, and was not ignored: leave it out."
            raise ApiError("invalid_request", message, param=name[:64])
    try:
        return msgspec.json.decode(msgspec.json.encode(kept), type=shape), sorted(left)
    except msgspec.DecodeError as error:
        raise ApiError("invalid_request", f"The body is wrong: {error}.") from error


class LimitFields(Struct):
    """The limits of LiteLLM's keys and teams. UNSET was not sent, None takes a limit away."""

    max_budget: Decimal | UnsetType | None = UNSET
    budget_duration: str | UnsetType | None = UNSET
    tpm_limit: int | UnsetType | None = UNSET
    rpm_limit: int | UnsetType | None = UNSET
    max_parallel_requests: int | UnsetType | None = UNSET


def limits_of(asked: LimitFields, before: KeyLimits | None = None) -> KeyLimits:
    """The limits with what is asked for in place of what was before. ApiError."""
    old = before or KeyLimits()
    money, period = _budget(asked, old)
    return KeyLimits(
        money,
        period.unit,
        period.rolling_s,
        budget_hard=old.budget_hard if money is not None else True,
        budget_degrade=old.budget_degrade and money is not None,
        budget_alerts=old.budget_alerts if money is not None else KeyLimits().budget_alerts,
        requests_per_minute=_count(asked.rpm_limit, old.requests_per_minute, "rpm_limit"),
        tokens_per_minute=_count(asked.tpm_limit, old.tokens_per_minute, "tpm_limit"),
        max_parallel_requests=_count(
            asked.max_parallel_requests, old.max_parallel_requests, "max_parallel_requests"
        ),
        raises=old.raises if money is not None else (),
        openings=old.openings,
    )


class RaiseFields(LimitFields):
    """The same, and a raise of the budget for a while."""

    temp_budget_increase: Decimal | UnsetType | None = UNSET
    temp_budget_expiry: str | UnsetType | None = UNSET


def raised(limits: KeyLimits, asked: RaiseFields, now_s: float) -> KeyLimits:
    """With the raise that is asked for in place of another; null ends it. ApiError."""
    extra, lasts = asked.temp_budget_increase, asked.temp_budget_expiry
    if extra is UNSET and lasts is UNSET:
        return limits
    if extra is None:
        return replace(limits, raises=())
    if extra is UNSET or not isinstance(lasts, str) or limits.budget_nanousd is None:
        message = (
            "temp_budget_increase, temp_budget_expiry (such as 10d) and a max_budget that they "
            "raise belong together."
        )
        raise ApiError("invalid_request", message, param="temp_budget_increase")
    more = nanousd_asked(str(extra), "temp_budget_increase")
    if limits.budget_nanousd + more > usd_to_nanousd(MAX_BUDGET_USD):
        message = f"A budget and its raise come to at most {MAX_BUDGET_USD} dollars together."
        raise ApiError("invalid_request", message, param="temp_budget_increase")
    return replace(limits, raises=(Raise(more, now_s + duration_s(lasts, "temp_budget_expiry")),))


def _budget(asked: LimitFields, old: KeyLimits) -> tuple[int | None, Period]:
    money, period = old.budget_nanousd, Period(old.budget_unit, old.budget_s)
    if asked.max_budget is not UNSET:
        amount = asked.max_budget
        money = None if amount is None else nanousd_asked(str(amount), "max_budget")
    if asked.budget_duration is not UNSET:
        text = asked.budget_duration
        period = Period() if text is None else budget_period(text)
    if money is None:
        if isinstance(asked.budget_duration, str):
            message = "budget_duration needs max_budget: what may be spent in that time."
            raise ApiError("invalid_request", message, param="budget_duration")
        return None, Period()
    return money, _LIFETIME if period == Period() else period


def budget_period(text: str) -> Period:
    """`1d`, `7d`, `30d` are the calendar's day, week and month, as they are for LiteLLM, and so are
    our words; any other duration rolls on. ApiError."""
    return period_asked(_CALENDAR.get(text, text), "budget_duration")


def duration_s(text: str, param: str = "duration") -> float:
    """How long, such as `30d`. ApiError."""
    try:
        found: float = READERS["duration"](text)
    except ValueError as error:
        why = str(error) or f"expected {EXPECTED['duration']}"
        raise ApiError("invalid_request", f"{param}: {why}.", param=param) from error
    if not 0 < found <= 3660 * 86_400:
        message = f"{param}: must be more than nothing and at most 3660d."
        raise ApiError("invalid_request", message, param=param)
    return found


def limits_shown(limits: KeyLimits | None) -> Mapping[str, object]:
    """The limits in LiteLLM's words. Money is an exact decimal number."""
    found = limits or KeyLimits()
    return {
        "max_budget": None if found.budget_nanousd is None else usd(found.budget_nanousd),
        "budget_duration": period_shown(found.budget_unit, found.budget_s),
        "tpm_limit": found.tokens_per_minute,
        "rpm_limit": found.requests_per_minute,
        "max_parallel_requests": found.max_parallel_requests,
    }


def period_shown(unit: str | None, rolling_s: float | None) -> str | None:
    """A budget without a duration is never given anew."""
    if unit == _LIFETIME.unit:
        return None
    if unit is not None:
        return _WORDS.get(unit, unit)
    if rolling_s is None:
        return None
    text = format_duration(rolling_s)
    return f"{rolling_s:.0f}s" if text in _CALENDAR else text


def raise_shown(limits: KeyLimits | None, now_s: float) -> Mapping[str, object]:
    """The raise that counts now; nothing where there is none."""
    standing = [one for one in (limits or KeyLimits()).raises if now_s < one.until_s]
    return {
        name: value
        for one in standing
        for name, value in (
            ("temp_budget_increase", usd(one.extra)),
            ("temp_budget_expiry", iso(one.until_s)),
        )
    }


def usd(nanousd: int) -> Raw:
    """Dollars as a JSON number without loss."""
    return Raw(format_usd(nanousd).encode())


def iso(at_s: float | None) -> str | None:
    return None if at_s is None else datetime.fromtimestamp(at_s, UTC).isoformat()


def expiry(duration: str | UnsetType | None) -> float | UnsetType | None:
    """When a key of this life ends; UNSET leaves it to the plan."""
    if duration is UNSET or duration is None:
        return duration
    return clock.wall_s() + duration_s(duration)


def _count(asked: int | UnsetType | None, old: int | None, name: str) -> int | None:
    if asked is UNSET:
        return old
    if asked is not None and not 1 <= asked <= 10**15:
        raise ApiError("invalid_request", f"{name} must be at least 1.", param=name)
    return asked
