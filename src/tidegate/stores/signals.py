"""Signals by the minute for whoever looks at every tick: only the minutes that have changed."""

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, func, select

from tidegate.core.bin import MINUTE_S
from tidegate.core.sli import LATENCIES, SLIS, LatencySli, Sli
from tidegate.stores import signal_marks
from tidegate.stores.schema_rollouts import rollouts
from tidegate.stores.schema_signals import signal_details, signal_scopes, signals
from tidegate.stores.signal_bins import together

_JUDGED: Final = tuple(f"{sli}_{verdict}" for sli in SLIS for verdict in ("good", "bad"))
_SHADOW: Final = "shadow"

# Minute, route, arm.
_Slot = tuple[int, str, str]


class Minute(Struct):
    """Everything of a route's arm that ended in the minute which began at `minute_s`, whatever its
    target and its recorder: good and bad requests by indicator, and those that took part in one of
    time by histograms as they are stored (`signal_rows.counted_upto`). Copies are nobody's traffic,
    and follow what they are copies of: there are no minutes of them."""

    minute_s: int
    route: str
    arm: str
    slis: dict[Sli, tuple[int, int]]
    latencies: dict[LatencySli, list[bytes]]


class News(Struct):
    """`minutes` take the place of what was said of them before. Ask with `since` next."""

    since: int
    minutes: list[Minute]


class Copies(Struct, frozen=True):
    """Copies of requests that a release's candidate answered, those of them that failed, and those
    whose answer broke its contract."""

    requests: int
    failed: int
    invalid: int


def minutes_after(connection: Connection, since: int, *, from_s: float = 0.0) -> News:
    """Minutes from `from_s` on to which something was added after the change `since`; 0 asks for
    all. In one transaction, so that a minute is never half of one moment."""
    newest = signal_marks.newest_change(connection)
    if newest <= since:
        return News(since, [])
    news = signals.alias()
    changed = (news.c.span_s == MINUTE_S) & (news.c.changed > since)
    starts = select(news.c.start_s).where(changed, news.c.start_s >= int(from_s) - MINUTE_S + 1)
    c = signals.c
    return News(
        newest, _gathered(connection, _asked(c.span_s == MINUTE_S, c.start_s.in_(starts)), since)
    )


def spans(connection: Connection, span_s: int, from_s: float, until_s: float) -> list[Minute]:
    """Every hour, or day, that began from `from_s` to before `until_s`, as minutes are told."""
    c = signals.c
    asked = _asked(c.span_s == span_s, c.start_s >= int(from_s), c.start_s < int(until_s))
    return _gathered(connection, asked)


def shadowed(connection: Connection) -> dict[str, Copies]:
    """What came of copies since a release came to its present state, of each that is under way and
    had any: by its id, from the minute in which that was."""
    c, scope, release = signals.c, signal_scopes.c, rollouts.c
    since = (c.span_s == MINUTE_S) & (c.start_s > release.since_s - MINUTE_S)
    query = (
        select(release.id, *(func.sum(c[name]) for name in ("requests", "failed", "validity_bad")))
        .join(signal_scopes, scope.route == release.route)
        .join(signals, scope.id == c.scope)
        .where(release.ended_at_s.is_(None), scope.arm == _SHADOW, since)
        .group_by(release.id)
    )
    return {name: Copies(*map(int, sums)) for name, *sums in connection.execute(query)}


def _gathered(connection: Connection, asked: Select[Any], since: int = -1) -> list[Minute]:
    """Whole minutes, of those slots of which a row has changed."""
    found: dict[_Slot, Minute] = {}
    fresh: set[_Slot] = set()
    for start_s, route, arm, changed, *columns in connection.execute(asked).all():
        slot = start_s, route, arm
        minute = found.get(slot)
        if minute is None:
            minute = found[slot] = Minute(start_s, route, arm, {}, {})
        if changed > since:
            fresh.add(slot)
        _add(minute, columns)
    return [found[slot] for slot in sorted(fresh)]


def _asked(*where: ColumnElement[bool]) -> Select[tuple[Any, ...]]:
    """Start, route, arm, the newest change, and the columns that `_add` adds up."""
    c, scope, beside = signals.c, signal_scopes.c, signal_details.c
    histograms = (beside[f"{name}_histogram"] for name in LATENCIES)
    columns = (c.changed, *(c[name] for name in _JUDGED), *histograms)
    return (
        select(c.start_s, scope.route, scope.arm, *columns)
        .join(signal_scopes, scope.id == c.scope)
        .join(signal_details, together())
        .where(*where, scope.arm != _SHADOW)
    )


def _add(minute: Minute, columns: list[Any]) -> None:
    slis, upto = minute.slis, len(_JUDGED)
    for sli, good, bad in zip(SLIS, columns[0:upto:2], columns[1:upto:2], strict=True):
        if good or bad:
            before = slis.get(sli)
            slis[sli] = (good, bad) if before is None else (before[0] + good, before[1] + bad)
    for latency, payload in zip(LATENCIES, columns[upto:], strict=True):
        if payload:
            minute.latencies.setdefault(latency, []).append(payload)
