"""Limits of one plan that contradict one another: one of the two can never speak. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import inf

from tidegate.core.limit import SPEND
from tidegate.core.plan import Limit
from tidegate.core.units import format_usd
from tidegate.core.words import quoted

_DAY_S = 86_400.0
# As long as a period of the calendar is about; only told apart by length, never counted with.
_UNITS_S = {
    "hour": 3_600.0,
    "day": _DAY_S,
    "week": 7 * _DAY_S,
    "month": 30 * _DAY_S,
    "quarter": 91 * _DAY_S,
    "year": 365 * _DAY_S,
    "lifetime": inf,
}


def contradictions(limits: Iterable[Limit]) -> Iterator[tuple[Limit, str]]:
    """Each limit that can never speak, with what to do. Only limits of one kind that count the
    same for the same requests are compared."""
    alike: dict[object, list[Limit]] = defaultdict(list)
    for limit in limits:
        same = (limit.kind, limit.scope, limit.only, limit.count, limit.cached_weight)
        alike[same].append(limit)
    for group in alike.values():
        for index, limit in enumerate(group):
            twin = next((one for one in group[:index] if _same(one, limit)), None)
            if twin is not None:
                yield limit, f"it says the same as {quoted(twin.name)}; remove one of them"
                continue
            tighter = next((one for one in group if _silences(one, limit)), None)
            if tighter is not None:
                yield limit, _never_speaks(tighter)


def _never_speaks(tighter: Limit) -> str:
    money = tighter.kind == SPEND
    amount = f"${format_usd(tighter.amount)}" if money else f"{tighter.amount:,}"
    return (
        f"it can never speak: {quoted(tighter.name)} allows only {amount} of the same in as long "
        "or longer; remove one of them, or tell them apart by `scope` or `only`"
    )


def _same(one: Limit, other: Limit) -> bool:
    return (
        _window(one) == _window(other)
        and one.on_excess == other.on_excess
        and one.amount == other.amount
        and _at_once(one) == _at_once(other)
    )


def _silences(one: Limit, other: Limit) -> bool:
    """Whether `one` always stops a request before `other` could."""
    if one.on_excess == "alert" or (one.on_excess == "cap") != (other.on_excess == "cap"):
        return False
    if one.amount >= other.amount or _at_once(one) > _at_once(other):
        return False
    return _window(one) == _window(other) or _length_s(other) < _length_s(one)


def _at_once(limit: Limit) -> int:
    return limit.amount if limit.burst is None else limit.burst


def _window(limit: Limit) -> tuple[object, ...]:
    return limit.per_s, limit.unit, limit.time_zone


def _length_s(limit: Limit) -> float:
    return _UNITS_S[limit.unit] if limit.unit is not None else limit.per_s or 0.0
