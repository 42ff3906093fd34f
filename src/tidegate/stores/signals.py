"""Signals by the minute for whoever looks at every tick: only the minutes that have changed."""

from collections.abc import Collection, Iterable
from typing import Any, Final, cast

from msgspec import Struct
from sqlalchemy import Connection, Select, select

from tidegate.core.bin import COUNTS, MINUTE_S
from tidegate.core.sli import LATENCIES, SLIS, LatencySli, Sli
from tidegate.stats.histogram import merge
from tidegate.stores import signal_marks
from tidegate.stores.schema_signals import signal_details, signal_scopes, signals
from tidegate.stores.signal_bins import together
from tidegate.stores.signal_rows import histogram_of

_STARTS_A_QUERY: Final = 500
_JUDGED: Final = tuple(f"{sli}_{verdict}" for sli in SLIS for verdict in ("good", "bad"))
_OTHERS: Final = tuple(name for name in COUNTS if name not in _JUDGED)

# Minute, route, arm.
_Slot = tuple[int, str, str]


class Minute(Struct):
    """Everything of a route's arm that ended in the minute which began at `minute_s`, whatever its
    target and its recorder: good and bad requests by indicator, those that took part in one of
    time by its histogram, and the sums of `core.bin.COUNTS` that are no verdicts."""

    minute_s: int
    route: str
    arm: str
    slis: dict[Sli, tuple[int, int]]
    latencies: dict[LatencySli, dict[int, int]]
    counts: dict[str, int]


class News(Struct):
    """`minutes` take the place of what was said of them before. Ask with `since` next."""

    since: int
    minutes: list[Minute]


def minutes_after(connection: Connection, since: int, *, from_s: float = 0.0) -> News:
    """Minutes from `from_s` on to which something was added after the change `since`; 0 asks for
    all. In one transaction, so that a minute is never half of one moment."""
    newest = signal_marks.newest_change(connection)
    if newest <= since:
        return News(since, [])
    c, scope = signals.c, signal_scopes.c
    changed = (
        select(c.start_s, scope.route, scope.arm)
        .distinct()
        .join(signal_scopes, scope.id == c.scope)
        .where(c.span_s == MINUTE_S, c.changed > since, c.start_s >= int(from_s) - MINUTE_S + 1)
    )
    wanted: set[_Slot] = {(row[0], row[1], row[2]) for row in connection.execute(changed)}
    return News(newest, _minutes(connection, wanted))


def spans(connection: Connection, span_s: int, from_s: float, until_s: float) -> list[Minute]:
    """Every hour, or day, that began from `from_s` to before `until_s`, as minutes are told."""
    c = signals.c
    query = _asked().where(c.span_s == span_s, c.start_s >= int(from_s), c.start_s < int(until_s))
    return _gathered(connection, query)


def of_arm(
    connection: Connection,
    route: str,
    arm: str,
    from_s: float,
    *,
    releases: Collection[str] | None = None,
) -> list[Minute]:
    """One arm's minutes, from that in which `from_s` lies; of these releases alone, where they are
    named."""
    c, scope = signals.c, signal_scopes.c
    mine = (scope.route == route) & (scope.arm == arm)
    if releases is not None:
        mine &= scope.release.in_(releases)
    since = c.start_s >= int(from_s) - MINUTE_S + 1
    return _gathered(connection, _asked().where(c.span_s == MINUTE_S, since, mine))


def _gathered(connection: Connection, query: Select[Any]) -> list[Minute]:
    found: dict[_Slot, Minute] = {}
    for start_s, route, arm, *columns in connection.execute(query).all():
        slot = start_s, route, arm
        if slot not in found:
            found[slot] = Minute(*slot, {}, {}, dict.fromkeys(_OTHERS, 0))
        _add(found[slot], columns)
    return [found[slot] for slot in sorted(found)]


def _minutes(connection: Connection, wanted: set[_Slot]) -> list[Minute]:
    starts = sorted({start_s for start_s, _, _ in wanted})
    minutes: dict[_Slot, Minute] = {}
    for at in range(0, len(starts), _STARTS_A_QUERY):
        for slot, *columns in _rows(connection, starts[at : at + _STARTS_A_QUERY], wanted):
            minute = minutes.get(slot)
            if minute is None:
                minute = minutes[slot] = Minute(*slot, {}, {}, dict.fromkeys(_OTHERS, 0))
            _add(minute, columns)
    return [minutes[slot] for slot in sorted(minutes)]


def _rows(
    connection: Connection, starts: list[int], wanted: set[_Slot]
) -> Iterable[tuple[_Slot, *tuple[object, ...]]]:
    c = signals.c
    query = _asked().where(c.span_s == MINUTE_S, c.start_s.in_(starts))
    for start_s, route, arm, *values in connection.execute(query).all():
        slot = start_s, route, arm
        if slot in wanted:
            yield slot, *values


def _asked() -> Select[tuple[Any, ...]]:
    """Start, route, arm, and the columns that `_add` adds up."""
    c, scope, beside = signals.c, signal_scopes.c, signal_details.c
    histograms = (beside[f"{name}_histogram"] for name in LATENCIES)
    columns = (*(c[name] for name in (*_JUDGED, *_OTHERS)), *histograms)
    return (
        select(c.start_s, scope.route, scope.arm, *columns)
        .join(signal_scopes, scope.id == c.scope)
        .join(signal_details, together())
    )


def _add(minute: Minute, columns: list[object]) -> None:
    judged = cast("list[int]", columns[: len(_JUDGED)])
    for at, sli in enumerate(SLIS):
        good, bad = judged[2 * at : 2 * at + 2]
        if good or bad:
            before = minute.slis.get(sli, (0, 0))
            minute.slis[sli] = before[0] + good, before[1] + bad
    rest = len(_JUDGED) + len(_OTHERS)
    for name, count in zip(_OTHERS, cast("list[int]", columns[len(_JUDGED) : rest]), strict=True):
        minute.counts[name] += count
    for latency, payload in zip(LATENCIES, columns[rest:], strict=True):
        if payload:
            there = minute.latencies.setdefault(latency, {})
            merge(there, histogram_of(cast("bytes", payload)))
