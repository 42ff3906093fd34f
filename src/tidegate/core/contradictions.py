"""Limits of one plan that contradict one another: one of the two can never speak. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from math import inf

from tidegate.core.limit import SPEND
from tidegate.core.plan import Limit, PeriodUnit
from tidegate.core.units import format_usd
from tidegate.core.words import quoted

_HOUR_S, _DAY_S = 3_600.0, 86_400.0
# The shortest and the longest that a period of the calendar can be, where clocks are changed too.
_UNITS_S: Mapping[PeriodUnit, tuple[float, float]] = {
    "hour": (_HOUR_S, _HOUR_S),
    "day": (_DAY_S - _HOUR_S, _DAY_S + _HOUR_S),
    "week": (7 * _DAY_S - _HOUR_S, 7 * _DAY_S + _HOUR_S),
    "month": (28 * _DAY_S - _HOUR_S, 31 * _DAY_S + _HOUR_S),
    "quarter": (90 * _DAY_S - _HOUR_S, 92 * _DAY_S + _HOUR_S),
    "year": (365 * _DAY_S - _HOUR_S, 366 * _DAY_S + _HOUR_S),
    "lifetime": (inf, inf),
}
# Periods of one time zone that never reach beyond one of the others.
_NESTED = ("hour", "day", "month", "quarter", "year", "lifetime")
_IN_A_WEEK = frozenset({"hour", "day"})


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


def silenced(limits: Iterable[Limit]) -> Iterator[tuple[Limit, str]]:
    """Each limit that can never speak because one of more requests always does before it."""
    alike: dict[object, list[Limit]] = defaultdict(list)
    for limit in limits:
        alike[limit.kind, limit.count, limit.cached_weight].append(limit)
    for group in alike.values():
        for limit in group:
            wider = (one for one in group if _counts_more(one, limit) and _silences(one, limit))
            tighter = next(wider, None)
            if tighter is not None:
                yield limit, _never_speaks(tighter)


def _counts_more(one: Limit, other: Limit) -> bool:
    """Whether each counter of `one` counts what one of `other` does, and others besides."""
    same = set(one.scope) == set(other.scope) and one.only == other.only
    return not same and set(one.scope) <= set(other.scope) and set(one.only) <= set(other.only)


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
    if _at_once(one) > _at_once(other):
        return False
    touched = _touched(other, one)
    # What is allowed twice while `other` counts once is as much as both together.
    return 0 < touched * one.amount < _speaks_at(other) + (touched - 1)


def _touched(other: Limit, one: Limit) -> int:
    """In how many windows of `one` any window of `other` lies; 0 where it may be more than two."""
    if _window(one) == _window(other) or one.unit == "lifetime":
        return 1
    longest_s = other.per_s if other.unit is None else _UNITS_S[other.unit][1]
    if longest_s is None:
        return 0
    if one.unit is None:  # it rolls on, so it holds any shorter time whole
        return 1 if one.per_s is not None and longest_s <= one.per_s else 0
    if other.time_zone == one.time_zone and _is_nested(other.unit, one.unit):
        return 1
    return 2 if longest_s <= _UNITS_S[one.unit][0] else 0


def _is_nested(inner: PeriodUnit | None, outer: PeriodUnit) -> bool:
    if outer == "week":
        return inner in _IN_A_WEEK
    return inner in _NESTED and _NESTED.index(inner) < _NESTED.index(outer)


def _speaks_at(limit: Limit) -> int:
    """More than this much is what it speaks of: of a soft budget its first alert."""
    if limit.on_excess == "alert" and limit.alert_percents:
        return limit.amount * limit.alert_percents[0] // 100
    return limit.amount


def _at_once(limit: Limit) -> int:
    return limit.amount if limit.burst is None else limit.burst


def _window(limit: Limit) -> tuple[object, ...]:
    return limit.per_s, limit.unit, limit.time_zone
