"""Captured requests: which there are, what was said in them, and their deletion.

For operators alone, no team's lead. Whoever reads what was said is in the audit trail, in the
transaction that reads it.
"""

from typing import Final

from sqlalchemy import Engine

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_captured import (
    MOST_READ,
    CapturedDeleted,
    CapturedDeletion,
    CapturedList,
    CapturedPage,
    CapturedQuery,
    CapturedRow,
    IncidentPage,
    IncidentQuery,
)
from tidegate.core import clock
from tidegate.core.capture import Captured
from tidegate.core.deletion import Deletion
from tidegate.core.feedback import is_request_id
from tidegate.core.notice import Notice
from tidegate.stores import audit, captures, database, incident_captures
from tidegate.stores.captures import Which
from tidegate.stores.incident_captures import Hurt, Window

READ: Final = "capture.read"
DELETED: Final = "capture.delete"
# Of some gateway the clock may be ahead of ours.
_AHEAD_S: Final = 60.0
_NONE: Final = "Nothing that was said in that request is kept."


async def _list(call: Call) -> CapturedList:
    asked: CapturedQuery = call.query

    def read(engine: Engine) -> list[CapturedRow]:
        with database.reading(engine) as connection:
            now_s = clock.wall_s()
            rows = captures.listed(connection, _which(asked, now_s), now_s, limit=asked.limit)
            return [CapturedRow(**row) for row in rows]

    return CapturedList(await call.desk.store(read))


async def _show(call: Call) -> Captured:
    by, wanted = author(call), call.path["id"]
    if not is_request_id(wanted):
        raise ApiError("not_found", _NONE)

    def read(engine: Engine) -> Captured | None:
        with database.writing(engine, alone=False) as connection:
            found = captures.by_id(connection, wanted, by.at_s)
            if found is not None:
                audit.append(connection, by, READ, found.receipt_id, f"route {found.route}")
            return found

    found = await call.desk.store(read)
    if found is None:
        raise ApiError("not_found", _NONE)
    return found


async def _export(call: Call) -> CapturedPage:
    asked: CapturedQuery = call.query
    by, limit = author(call), min(asked.limit, MOST_READ)

    def read(engine: Engine) -> list[Captured]:
        with database.writing(engine, alone=False) as connection:
            which = _which(asked, by.at_s)
            found = captures.newest(connection, which, by.at_s, limit=limit)
            if found:
                subject = f"{len(found)} from {found[-1].receipt_id} to {found[0].receipt_id}"
                audit.append(connection, by, READ, subject, _told(asked))
            return found

    found = await call.desk.store(read)
    return CapturedPage(found, found[-1].receipt_id if len(found) == limit else None)


async def _incident(call: Call) -> IncidentPage:
    asked: IncidentQuery = call.query
    by = author(call)

    def read(engine: Engine) -> tuple[Notice | None, list[Hurt]]:
        with database.writing(engine, alone=False) as connection:
            notice = incident_captures.notice(connection, asked.notice)
            if notice is None or notice.route is None:
                return notice, []
            ended_s = by.at_s + _AHEAD_S if notice.resolved_at_s is None else notice.resolved_at_s
            window = Window(notice.route, notice.at_s - asked.before_s, ended_s)
            found = incident_captures.of_window(
                connection, window, by.at_s, beyond=asked.beyond, limit=MOST_READ
            )
            if found:
                subject = f"{len(found)} of the incident {notice.id}"
                audit.append(connection, by, READ, subject, f"route {notice.route}")
            return notice, found

    notice, found = await call.desk.store(read)
    if notice is None:
        raise ApiError("not_found", "No notice has this id or key; `tidegate notice list`.")
    if notice.route is None:
        message = "That notice is of no route, so that no requests are known to be its."
        raise ApiError("invalid_request", message, param="notice")
    more = asked.beyond + len(found) if len(found) == MOST_READ else None
    return IncidentPage(notice, found, more)


async def _delete(call: Call) -> CapturedDeleted:
    asked: CapturedDeletion = call.body
    by = author(call)
    if asked.customer is None and asked.end_user is None and asked.before_s is None:
        message = "Say whose: `customer`, `end_user`; or say `before_s`."
        raise ApiError("invalid_request", message)
    latest_s = by.at_s + _AHEAD_S
    before_s = latest_s if asked.before_s is None else min(asked.before_s, latest_s)
    what = Deletion(before_s, asked.customer, asked.end_user)

    def write(engine: Engine) -> tuple[int, int]:
        with database.writing(engine) as connection:
            gone = captures.remove(connection, what, by.at_s)
            whose = asked.customer or asked.end_user or "everybody"
            detail = f"{gone[0]} captured, {gone[1]} of feedback, before {before_s:.0f}"
            audit.append(connection, by, DELETED, whose, detail)
            return gone

    return CapturedDeleted(*await call.desk.store(write))


ROWS = (
    Row("GET", "/api/captured", "operator", _list, query=CapturedQuery),
    Row("GET", "/api/captured/export", "operator", _export, query=CapturedQuery),
    Row("GET", "/api/captured/incident", "operator", _incident, query=IncidentQuery),
    Row("POST", "/api/captured/delete", "operator", _delete, body=CapturedDeletion),
    Row("GET", "/api/captured/{id}", "operator", _show),
)


def _told(asked: CapturedQuery) -> str:
    """What was asked for, in words."""
    said = (("route", asked.route), ("customer", asked.customer), ("rated", asked.rated))
    return ", ".join(f"{name} {value}" for name, value in said if value is not None)


def _which(asked: CapturedQuery, now_s: float) -> Which:
    since_s = None if asked.since_s is None else now_s - asked.since_s
    return Which(asked.route, asked.customer, since_s, asked.rated, asked.before_id)
