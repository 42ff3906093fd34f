"""Captured requests: stored each once, read by operators, deleted for good.

A deletion stays noted: what a spool still holds of it, on whichever machine, is not stored later.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, or_, select

from tidegate.core.capture import Captured, Kept
from tidegate.core.deletion import Deletion
from tidegate.stores import captured_hits, database, turns
from tidegate.stores.schema_assessed import assessments
from tidegate.stores.schema_captured import captured, deletions, feedback
from tidegate.stores.schema_judged_hits import judged_hits

_AT_ONCE: Final = 500
# So long may a machine be away whose spool holds what was deleted meanwhile.
DELETIONS_KEPT_S: Final = 400 * 86_400.0

_c = captured.c
_json: Final = msgspec.json.Encoder().encode
_calls: Final = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode
_counts: Final = msgspec.json.Decoder(dict[str, int]).decode
_kept: Final = msgspec.json.Decoder(Kept).decode


class Which(Struct, frozen=True, omit_defaults=True):
    """Which captured requests. None asks for nothing. `rated` asks for those with such a rating."""

    route: str | None = None
    customer: str | None = None
    since_s: float | None = None
    rated: str | None = None
    before_id: str | None = None


def noted_deletions(connection: Connection) -> list[Deletion]:
    rows = connection.execute(select(deletions))
    return [Deletion(row.before_s, row.customer, row.end_user) for row in rows]


def store(connection: Connection, several: Iterable[Captured], now_s: float) -> int:
    """Keep what is new, not deleted and not too old; how many that are. In a transaction that is
    alone, so that no deletion comes in between."""
    gone = noted_deletions(connection)
    new = {
        it.receipt_id: it
        for it in several
        if it.until_s > now_s
        and not any(one.covers(it.at_s, it.customer, it.end_user) for one in gone)
    }
    ids = list(new)
    for at in range(0, len(ids), _AT_ONCE):
        some = select(_c.receipt_id).where(_c.receipt_id.in_(ids[at : at + _AT_ONCE]))
        for known in connection.execute(some).scalars():
            del new[known]
    if new:
        made = captured_hits.without_deleted(connection, list(new.values()), gone)
        statement = database.upsert(connection, captured).on_conflict_do_nothing()
        connection.execute(statement, [_row(it) for it in made])
        captured_hits.note(connection, made)
        turns.wait(connection, made, now_s)
    return len(new)


def by_id(connection: Connection, receipt_id: str, now_s: float) -> Captured | None:
    query = select(captured).where(_c.receipt_id == receipt_id, _c.until_s > now_s)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else captured_of(row)


def still_there(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of them that are kept."""
    some = select(_c.receipt_id).where(_c.receipt_id.in_(list(ids)))
    return set(connection.execute(some).scalars())


def next_ones(
    connection: Connection, conversation: str, after_id: str, until_s: float, *, most: int
) -> list[Captured]:
    """Those of the conversation that were asked after that one, up to then, the first first."""
    query = select(captured).where(
        _c.conversation == conversation, _c.receipt_id > after_id, _c.at_s <= until_s
    )
    query = query.order_by(_c.receipt_id).limit(most)
    return [captured_of(row) for row in connection.execute(query).mappings()]


def newest(
    connection: Connection, which: Which, now_s: float, *, limit: int = 100
) -> list[Captured]:
    """Newest first, at most `limit`; to page, pass the last id seen as `before_id`."""
    query = select(captured).where(_c.until_s > now_s, *_conditions(which))
    query = query.order_by(_c.receipt_id.desc()).limit(limit)
    return [captured_of(row) for row in connection.execute(query).mappings()]


def listed(
    connection: Connection, which: Which, now_s: float, *, limit: int = 100
) -> list[dict[str, Any]]:
    """The same without what was said: `asked_chars` and `answer_chars` are its sizes, `calls` is
    how many there are."""
    said = {"messages": "asked_chars", "answer": "answer_chars"}
    columns = [
        func.length(it).label(said[it.name]) if it.name in said else it
        for it in captured.columns
        if it.name not in ("tools", "kept")
    ]
    query = select(*columns).where(_c.until_s > now_s, *_conditions(which))
    query = query.order_by(_c.receipt_id.desc()).limit(limit)
    rows: list[dict[str, Any]] = [dict(row._mapping) for row in connection.execute(query)]
    for row in rows:
        row["calls"] = len(_calls(row["calls"]))
        row["redacted"] = _counts(row["redacted"])
    return rows


def remove(connection: Connection, what: Deletion, now_s: float) -> tuple[int, int]:
    """Delete it for good, and note it; how many captured requests and how many words of feedback.
    What was found of them goes too. In a transaction that is alone."""
    if not database.is_shared(connection):
        database.overwrite_deleted(connection)
    connection.execute(insert(deletions).values(**asdict(what), at_s=now_s))
    gone = []
    for table in (captured, feedback, assessments, judged_hits):
        c = table.c
        at_s = c.at_s if table in (captured, feedback) else c.started_at_s
        conditions: list[ColumnElement[bool]] = [at_s < what.before_s]
        if what.customer is not None:
            conditions.append(c.customer == what.customer)
        if what.end_user is not None:
            conditions.append(c.end_user == what.end_user)
        gone.append(connection.execute(delete(table).where(and_(*conditions))).rowcount)
    captured_hits.remove(connection, what)
    return gone[0], gone[1]


def drop_old(engine: Engine, now_s: float, kept_s: Mapping[str, float]) -> int:
    """Delete what is older than it is kept: by what was declared as it came, and by `kept_s` of
    routes as it is declared now; how many are gone."""
    old = [_c.until_s <= now_s]
    old += [and_(_c.route == name, _c.at_s <= now_s - it) for name, it in kept_s.items()]
    gone = 0
    while True:
        with database.writing(engine) as connection:
            if not database.is_shared(connection):
                database.overwrite_deleted(connection)
            some = select(_c.receipt_id).where(or_(*old)).limit(_AT_ONCE)
            found = connection.execute(delete(captured).where(_c.receipt_id.in_(some))).rowcount
            noted = deletions.c.at_s < now_s - DELETIONS_KEPT_S
            connection.execute(delete(deletions).where(noted))
        gone += found
        if found < _AT_ONCE:
            return gone


def _conditions(which: Which) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if which.route is not None:
        found.append(_c.route == which.route)
    if which.customer is not None:
        found.append(_c.customer == which.customer)
    if which.since_s is not None:
        found.append(_c.at_s >= which.since_s)
    if which.before_id is not None:
        found.append(_c.receipt_id < which.before_id)
    if which.rated is not None:
        f = feedback.c
        down = f.rating < 0 if which.rated == "down" else f.rating > 0
        said = select(f.receipt_id).where(f.matched, f.kind == "rating", down)
        found.append(_c.receipt_id.in_(said))
    return found


def _row(made: Captured) -> dict[str, Any]:
    values = asdict(made)
    values["calls"] = _json(made.calls).decode()
    values["redacted"] = _json(made.redacted).decode()
    values["kept"] = None if made.kept is None else _json(made.kept).decode()
    return {name: storable(value) for name, value in values.items()}


def storable(value: Any) -> Any:
    """Without what PostgreSQL's text cannot hold."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def captured_of(row: Mapping[Any, Any]) -> Captured:
    """From a row that has every column."""
    values = dict(row)
    values["calls"], values["redacted"] = _calls(values["calls"]), _counts(values["redacted"])
    values["kept"] = None if values["kept"] is None else _kept(values["kept"])
    return Captured(**values)
