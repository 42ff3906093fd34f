"""What becomes of notices: which ways they go, in which messages, and whether those arrived.

A message is put together when it is first tried and is the same at each further try. While a way
is down its notices gather, and go together once it is up again; so do those of a storm. Whoever
claims a message has it alone until its lease is over.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, exists, func, insert, or_, select, update

from tidegate.core import clock
from tidegate.core.notice import SEVERITIES, NotDelivered, Notice, Severity
from tidegate.stores import database, silences, told
from tidegate.stores.notices import COLUMNS, notice_of
from tidegate.stores.schema_notices import deliveries, notice_ways, notices
from tidegate.stores.told import Delivery

MAX_TRIES: Final = 66  # an hour: the pauses double from a second up to a minute
LEASE_S: Final = 60.0
# Of one severity and one way. More than so many go together, and then once a minute.
SINGLES: Final = 5
_SPAN_S = 60.0
_TOGETHER = 200
_UNDER_WAY = 3  # messages of one way; so one that is never taken does not hold up the others
_AT_ONCE = 1000
_LONGEST_PAUSE_S = 60.0
_LONGEST_ASKED_S = 600.0  # that a receiver may ask us to wait
_LEFT_OPEN_S = 7 * 86_400.0
_MAX_ERROR_LETTERS = 500

_n, _w, _d = notices.c, notice_ways.c, deliveries.c


def route(
    connection: Connection, ways_of: Callable[[Notice], Iterable[str]], now_s: float
) -> list[Notice]:
    """Decide which ways the new notices go; those for which there is none. What is silenced
    waits until it is not, and is told to nobody if it is resolved before."""
    held = silences.in_force(connection, now_s)
    waiting = _n.routed_at_s.is_(None) & or_(
        _n.silenced_by.is_(None),
        _n.silenced_by.not_in([one.id for one in held]),
        _n.resolved_at_s.is_not(None),
    )
    query = select(*COLUMNS, _n.silenced_by).where(waiting).order_by(_n.id).limit(_AT_ONCE)
    nowhere = []
    for row in connection.execute(query).mappings().all():
        notice = notice_of(row)
        silence = next((one.id for one in held if one.matchers.match(notice)), None)
        if notice.resolved_at_s is not None and row["silenced_by"] is not None:
            _mark(connection, notice.id, routed_at_s=now_s, closed_at_s=now_s)
        elif silence is not None:
            _mark(connection, notice.id, silenced_by=silence)
        else:
            ways = sorted(set(ways_of(notice)))
            _send_by(connection, notice.id, ways)
            _mark(connection, notice.id, routed_at_s=now_s, silenced_by=None)
            nowhere += [] if ways else [notice]
    return nowhere


def hold_back(connection: Connection, silence: silences.Silence) -> None:
    """Take back what a new silence matches and is in no message yet."""
    query = select(*COLUMNS).where(
        exists().where(_w.notice == _n.id, _w.delivery.is_(None)), _n.resolved_at_s.is_(None)
    )
    for row in connection.execute(query).mappings().all():
        notice = notice_of(row)
        if silence.matchers.match(notice):
            waits = (_w.notice == notice.id) & _w.delivery.is_(None)
            connection.execute(notice_ways.delete().where(waits))
            _mark(connection, notice.id, routed_at_s=None, silenced_by=silence.id)


def end_told(connection: Connection, now_s: float) -> None:
    """Make the messages that tell of an end: what was told together is ended together, by the
    same ways, once the first message's fate is known. Nobody is told the end of what they were
    never told."""
    ended = _n.resolved_at_s.is_not(None) & _n.closed_at_s.is_(None) & _n.routed_at_s.is_not(None)
    late = _n.resolved_at_s < now_s - _LEFT_OPEN_S
    connection.execute(update(notices).where(ended, late).values(closed_at_s=now_s))
    newest = select(_n.id).where(ended).order_by(_n.resolved_at_s.desc()).limit(_AT_ONCE)
    over = set(connection.execute(newest).scalars())
    rows = told.fates(connection, over)
    ids = {delivery.id for _, _, delivery in rows if delivery is not None}
    still_open = _with_open_notices(connection, ids)
    for notice_id, _, delivery in rows:
        if delivery is None or delivery.ended_at_s is None or delivery.id in still_open:
            over.discard(notice_id)
        elif delivery.state != "dead":
            _insert_end(connection, delivery, now_s)
    connection.execute(update(notices).where(_n.id.in_(over)).values(closed_at_s=now_s))


def anything_new(connection: Connection, now_s: float) -> bool:
    """Whether there may be something to route, to end, or to lapse."""
    unrouted = select(_n.id).where(_n.routed_at_s.is_(None)).limit(1)
    ended = select(_n.id).where(_n.resolved_at_s.is_not(None), _n.closed_at_s.is_(None)).limit(1)
    over = (_n.until_s <= now_s) & _n.until_s.is_not(None) & _n.resolved_at_s.is_(None)
    lapsed = select(_n.id).where(over).limit(1)
    return any(connection.execute(one).first() is not None for one in (unrouted, ended, lapsed))


def busy(connection: Connection) -> list[str]:
    """The ways that have something to send, now or later."""
    waiting = select(_w.way).where(_w.delivery.is_(None))
    under_way = select(_d.way).where(_d.ended_at_s.is_(None))
    return sorted(connection.execute(waiting.union(under_way)).scalars())


def claim(
    connection: Connection, way: str, now_s: float, repeatable: bool
) -> tuple[Delivery, list[Notice]] | None:
    """The next message for a way, marked as under way, with its notices, the oldest first.

    `repeatable`: the way's receiver knows a message again. Of another way, one whose try nobody
    knows the end of is not tried again.
    """
    if not repeatable:
        _give_up_on_lost(connection, way, now_s)
    delivery = _due(connection, way, now_s) or _put_together(connection, way, now_s)
    if delivery is None:
        return None
    values = {"tries": delivery.tries + 1, "state": "sending", "due_at_s": now_s + LEASE_S}
    same = (_d.id == delivery.id) & (_d.tries == delivery.tries) & _d.ended_at_s.is_(None)
    if not connection.execute(update(deliveries).where(same).values(values)).rowcount:
        return None
    return replace(delivery, **values), told.told_by(connection, delivery.ends or delivery.id)


def says(connection: Connection, delivery: Delivery, *, only_edits: bool) -> None:
    """Of a claimed message, before it is sent: whether it may be sent again if its end is lost."""
    _finish(connection, delivery, state="editing" if only_edits else "sending")


def delivered(
    connection: Connection, delivery: Delivery, at_s: float, remark: str | None = None
) -> None:
    """It arrived; the remark says whom it did not reach."""
    said = None if remark is None else remark[:_MAX_ERROR_LETTERS]
    _finish(connection, delivery, state="delivered", error=said, ended_at_s=at_s)


def failed(connection: Connection, delivery: Delivery, why: NotDelivered, at_s: float) -> Delivery:
    """It did not arrive, or nobody knows: tried again later, or given up. What it is now."""
    fields: dict[str, object] = {"error": why.reason[:_MAX_ERROR_LETTERS]}
    if why.unknown:
        fields |= {"state": "unknown", "ended_at_s": at_s}
    elif why.final or delivery.tries >= MAX_TRIES:
        fields |= {"state": "dead", "ended_at_s": at_s}
    else:
        fields |= {"state": "waiting", "due_at_s": at_s + _pause_s(delivery.tries, why)}
    _finish(connection, delivery, **fields)
    return replace(delivery, **fields)


def _send_by(connection: Connection, notice_id: str, ways: list[str]) -> None:
    if ways:
        rows = [{"notice": notice_id, "way": way} for way in ways]
        statement = database.upsert(connection, notice_ways).on_conflict_do_nothing()
        connection.execute(statement, rows)


def _mark(connection: Connection, notice_id: str, **values: object) -> None:
    connection.execute(update(notices).where(_n.id == notice_id).values(values))


def _with_open_notices(connection: Connection, ids: Collection[str]) -> set[str]:
    query = (
        select(_w.delivery)
        .distinct()
        .select_from(notice_ways.join(notices, _w.notice == _n.id))
        .where(_w.delivery.in_(ids), _n.resolved_at_s.is_(None))
    )
    return set(connection.execute(query).scalars())


def _insert_end(connection: Connection, first: Delivery, now_s: float) -> None:
    ending = Delivery(clock.IdSource().new(), first.way, first.severity, first.id, now_s, now_s)
    statement = database.upsert(connection, deliveries).values(_row(ending))
    connection.execute(statement.on_conflict_do_nothing(index_elements=[_d.ends]))


def _give_up_on_lost(connection: Connection, way: str, now_s: float) -> None:
    lost = (_d.way == way) & (_d.state == "sending") & _d.ended_at_s.is_(None) & _is_due(now_s)
    error = "its process ended while it was under way; it may have arrived"
    values = {"state": "unknown", "error": error, "ended_at_s": now_s}
    connection.execute(update(deliveries).where(lost).values(values))


def _due(connection: Connection, way: str, now_s: float) -> Delivery | None:
    query = (
        select(deliveries)
        .where(_d.way == way, _d.ended_at_s.is_(None), _is_due(now_s))
        .order_by(_d.ends.is_not(None), _d.due_at_s, _d.id)
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else Delivery(*row)


def _is_due(now_s: float) -> ColumnElement[bool]:
    """Also what is due further ahead than anything is ever put: the clock was set back."""
    return (_d.due_at_s <= now_s) | (_d.due_at_s > now_s + _LONGEST_ASKED_S + LEASE_S)


def _put_together(connection: Connection, way: str, now_s: float) -> Delivery | None:
    """A new message of what waits for the way, the gravest first; None while it has to wait."""
    first_told = (_d.way == way) & _d.ends.is_(None)
    if _count(connection, first_told & _d.ended_at_s.is_(None)) >= _UNDER_WAY:
        return None
    for severity in SEVERITIES:
        waiting = _waiting(connection, way, severity)
        lately = (_d.severity == severity) & (_d.at_s > now_s - _SPAN_S) & (_d.at_s <= now_s)
        made = _count(connection, first_told & lately) if waiting else SINGLES
        if made >= SINGLES:
            continue
        together = waiting if made + len(waiting) > SINGLES else waiting[:1]
        new = Delivery(clock.IdSource().new(), way, severity, None, now_s, now_s)
        connection.execute(insert(deliveries).values(_row(new)))
        mine = (_w.way == way) & _w.notice.in_(together)
        connection.execute(update(notice_ways).where(mine).values(delivery=new.id))
        return new
    return None


def _waiting(connection: Connection, way: str, severity: Severity) -> list[str]:
    """Notices that are in no message for the way yet, the oldest first."""
    query = (
        select(_n.id)
        .select_from(notices.join(notice_ways, _w.notice == _n.id))
        .where(_w.way == way, _w.delivery.is_(None), _n.severity == severity)
        .order_by(_n.id)
        .limit(_TOGETHER)
    )
    return list(connection.execute(query).scalars())


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(deliveries).where(which)
    return connection.execute(query).scalar_one()


def _pause_s(tries: int, why: NotDelivered) -> float:
    asked_s = min(why.retry_after_s or 0.0, _LONGEST_ASKED_S)
    doubled_s = 2.0 ** min(tries - 1, 10)
    return max(asked_s, min(doubled_s, _LONGEST_PAUSE_S) * (0.8 + 0.2 * clock.fraction()))


def _finish(connection: Connection, delivery: Delivery, **values: object) -> None:
    mine = (_d.id == delivery.id) & (_d.tries == delivery.tries) & _d.ended_at_s.is_(None)
    connection.execute(update(deliveries).where(mine).values(values))


def _row(delivery: Delivery) -> dict[str, object]:
    return {name: getattr(delivery, name) for name in Delivery.__struct_fields__}
