"""What people are to be told: each thing once until it is resolved, whoever notes it how often.

A notice is noted in the transaction of whatever it tells of. Which ways it goes and what became
of it there is told by `stores.deliveries`.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    RowMapping,
    delete,
    exists,
    select,
    update,
)

from tidegate.core import clock
from tidegate.core.controller import Tell
from tidegate.core.notice import Notice, graver, severity_of
from tidegate.stores import database
from tidegate.stores.schema_notices import deliveries, notice_ways, notices

MAX_KEY_LETTERS: Final = 500
_MAX_TITLE_LETTERS = 300
_MAX_TEXT_LETTERS = 8_000
_DIGEST_LETTERS = 32

_n = notices.c
COLUMNS: Final = (
    *(_n.id, _n.key, _n.topic, _n.severity, _n.title, _n.text, _n.at_s, _n.route),
    *(_n.resolved_at_s, _n.resolution),
)


def note(connection: Connection, tell: Tell, at_s: float) -> bool:
    """Note what people are to be told, in the caller's transaction; whether it is new.

    What is open under its key is not noted again, unless it has become graver. `resolved` ends
    what is open, and is nothing new where nothing is.
    """
    key = key_of(tell.key)
    is_open = _is_open(key)
    found = connection.execute(select(_n.id, _n.severity).where(is_open)).first()
    if tell.resolved:
        return found is not None and _resolve(connection, is_open, tell, at_s)
    if found is not None:
        if not graver(tell.severity, found.severity):
            return False
        superseded = {"resolved_at_s": at_s, "routed_at_s": at_s, "closed_at_s": at_s}
        connection.execute(update(notices).where(_n.id == found.id).values(superseded))
        _take_back(connection, [found.id])
    return _insert(connection, tell, key, at_s)


def key_of(text: str) -> str:
    """A notice's key as it is stored: printable, and no longer than MAX_KEY_LETTERS."""
    plain = _plain(text)
    if len(plain) <= MAX_KEY_LETTERS:
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:_DIGEST_LETTERS]
    return plain[: MAX_KEY_LETTERS - _DIGEST_LETTERS - 1] + "~" + digest


def lapse(connection: Connection, now_s: float) -> int:
    """Resolve what was noted only until now; returns how many."""
    over = _n.until_s.is_not(None) & (_n.until_s <= now_s) & _n.resolved_at_s.is_(None)
    values = {"resolved_at_s": now_s, "resolution": "Its time is over."}
    return connection.execute(update(notices).where(over).values(values)).rowcount


def recent(
    connection: Connection, *, only_open: bool = False, before: str | None = None, limit: int = 100
) -> list[Notice]:
    """Newest first; `before` an id, from there on."""
    query = select(*COLUMNS).order_by(_n.id.desc()).limit(limit)
    if only_open:
        query = query.where(_n.resolved_at_s.is_(None))
    if before is not None:
        query = query.where(_n.id < before)
    return [notice_of(row) for row in connection.execute(query).mappings()]


def of_ids(connection: Connection, ids: Iterable[str]) -> list[Notice]:
    """These notices, as far as they are still kept, the oldest first."""
    query = select(*COLUMNS).where(_n.id.in_(list(ids))).order_by(_n.id)
    return [notice_of(row) for row in connection.execute(query).mappings()]


def silenced(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The silence that holds each of these notices back, of those that nobody was told."""
    query = select(_n.id, _n.silenced_by).where(
        _n.id.in_(list(ids)), _n.silenced_by.is_not(None), _n.routed_at_s.is_(None)
    )
    return {row.id: row.silenced_by for row in connection.execute(query)}


def trim(connection: Connection, before_s: float) -> int:
    """Drop what is older, and what became of it; returns how many notices."""
    gone = connection.execute(delete(notices).where(_n.at_s < before_s)).rowcount
    connection.execute(_orphans())
    connection.execute(
        delete(deliveries).where(deliveries.c.at_s < before_s, deliveries.c.ended_at_s.is_not(None))
    )
    return gone


def notice_of(row: RowMapping) -> Notice:
    """A notice from a row that has at least COLUMNS."""
    fields: dict[str, Any] = {column.name: row[column.name] for column in COLUMNS}
    return Notice(**{**fields, "severity": severity_of(fields["severity"])})


def _insert(connection: Connection, tell: Tell, key: str, at_s: float) -> bool:
    title = _plain(" ".join(tell.title.split()))[:_MAX_TITLE_LETTERS]
    values = {
        "id": clock.IdSource().new(),
        "key": key,
        "topic": tell.topic,
        "severity": severity_of(tell.severity),
        "title": title or key,
        "text": _told(tell),
        "at_s": at_s,
        "route": tell.route,
        "until_s": tell.until_s,
    }
    asked = (
        database.upsert(connection, notices)
        .values(values)
        .on_conflict_do_nothing(index_elements=[_n.key], index_where=_n.resolved_at_s.is_(None))
        .execution_options(preserve_rowcount=True)
    )
    return connection.execute(asked).rowcount == 1


def _resolve(connection: Connection, is_open: ColumnElement[bool], tell: Tell, at_s: float) -> bool:
    values = {"resolved_at_s": at_s, "resolution": _told(tell)}
    return connection.execute(update(notices).where(is_open).values(values)).rowcount == 1


def _is_open(key: str) -> ColumnElement[bool]:
    return (_n.key == key) & _n.resolved_at_s.is_(None)


def _take_back(connection: Connection, ids: list[str]) -> None:
    """What is in no message yet goes no way any more."""
    c = notice_ways.c
    connection.execute(delete(notice_ways).where(c.notice.in_(ids), c.delivery.is_(None)))


def _orphans() -> Delete:
    return delete(notice_ways).where(~exists().where(_n.id == notice_ways.c.notice))


def _told(tell: Tell) -> str:
    return "\n".join(_plain(line) for line in tell.text.splitlines())[:_MAX_TEXT_LETTERS]


def _plain(text: str) -> str:
    """Without what could steer a terminal or a wire, or what a database refuses."""
    return "".join(c if c.isprintable() else "?" for c in text)
