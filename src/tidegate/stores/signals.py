"""Signals by the minute for whoever looks at every tick: only the minutes that have changed."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Select,
    Text,
    case,
    column,
    func,
    select,
    values,
)

from tidegate.core.bin import MINUTE_S
from tidegate.core.sli import LATENCIES, SLIS, LatencySli, Sli
from tidegate.stores import signal_marks
from tidegate.stores.schema_signals import signal_details, signal_scopes, signals
from tidegate.stores.signal_bins import together

_JUDGED: Final = tuple(f"{sli}_{verdict}" for sli in SLIS for verdict in ("good", "bad"))
_TURNS: Final = ("turn_time_good", "turn_time_bad")
_SHADOW: Final = "shadow"
_ANSWERED: Final = ("requests", "failed", "validity_bad")

# Minute, route, arm.
_Slot = tuple[int, str, str]


class Minute(Struct):
    """Everything of a route's arm that ended in the minute which began at `minute_s`, whatever its
    target and its recorder: good and bad requests by indicator, and those that took part in one of
    time by histograms as they are stored (`signal_rows.counted_upto`). `turns` are those that were
    judged when they were counted, good and bad. Copies are nobody's traffic, and follow what they
    are copies of: there are no minutes of them."""

    minute_s: int
    route: str
    arm: str
    slis: dict[Sli, tuple[int, int]]
    latencies: dict[LatencySli, list[bytes]]
    turns: tuple[int, int] = (0, 0)


class News(Struct):
    """`minutes` take the place of what was said of them before. Ask with `since` next."""

    since: int
    minutes: list[Minute]


class Shadow(NamedTuple):
    """A release that is sent copies: those of its route, or those alone of which receipts tell its
    `name`. `first_s` is when the first may have come, `since_s` from when on they are judged; both
    begin with the minute in which they lie."""

    id: str
    route: str
    name: str
    first_s: float
    since_s: float


_OF_SHADOW: Final = (
    *(column(name, Text) for name in ("id", "route", "name")),
    *(column(name, Double) for name in ("first_s", "since_s")),
)


class Copies(Struct, frozen=True):
    """Copies of requests that a release's candidate answered since they are judged, those of them
    that failed, and those whose answer broke its contract. Then since the first: how many there
    were, what they cost, and of how many nobody knows the cost."""

    requests: int
    failed: int
    invalid: int
    copies: int
    cost_nanousd: int
    unpriced: int


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
    return _gathered(connection, _asked(c.span_s == MINUTE_S, since, mine))


def shadowed(connection: Connection, shadows: Sequence[Shadow]) -> dict[str, Copies]:
    """What came of the copies for each, by its id; nothing of one that had none."""
    if not shadows:
        return {}
    c, scope = signals.c, signal_scopes.c
    of = values(*_OF_SHADOW, name="shadows").data(list(shadows)).cte()
    answered = c.start_s > of.c.since_s - MINUTE_S
    sums = (
        *(func.sum(case((answered, c[name]), else_=0)) for name in _ANSWERED),
        *(func.sum(c[name]) for name in ("requests", "cost_nanousd", "cost_unknown")),
    )
    whose = (of.c.name == "") | (scope.release == of.c.name)
    query = (
        select(of.c.id, *sums)
        .join(signal_scopes, (scope.route == of.c.route) & (scope.arm == _SHADOW) & whose)
        .join(signals, scope.id == c.scope)
        .where(c.span_s == MINUTE_S, c.start_s > of.c.first_s - MINUTE_S)
        .group_by(of.c.id)
    )
    return {name: Copies(*map(int, found)) for name, *found in connection.execute(query)}


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
    columns = (c.changed, *(c[name] for name in (*_JUDGED, *_TURNS)), *histograms)
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
    good, bad = columns[upto : upto + 2]
    if good or bad:
        minute.turns = minute.turns[0] + good, minute.turns[1] + bad
    for latency, payload in zip(LATENCIES, columns[upto + 2 :], strict=True):
        if payload:
            minute.latencies.setdefault(latency, []).append(payload)
