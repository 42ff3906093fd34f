"""Notices: what people were told and what became of it, silences, and a try of each way."""

import asyncio
import os

from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.sending import send
from tidegate.control.shapes_notices import (
    NewSilence,
    NoticeList,
    NoticeQuery,
    NoticeView,
    SilenceList,
    TriedWay,
    TriedWays,
    TryWays,
    WayView,
)
from tidegate.core import clock
from tidegate.core.notice import Message, NotDelivered, Notice
from tidegate.core.words import nearest, quoted
from tidegate.stores import database, deliveries, notices, silences, told
from tidegate.stores.audit import Author
from tidegate.stores.silences import Matchers, Silence, TooManySilences


async def _list(call: Call) -> NoticeList:
    asked: NoticeQuery = call.query
    return await call.desk.store(_page, asked)


async def _silences(call: Call) -> SilenceList:
    return await call.desk.store(_in_force)


async def _silence(call: Call) -> Silence:
    asked: NewSilence = call.body
    if asked.matchers == Matchers():
        message = 'Say what to silence; `"key": "*"` is everything.'
        raise ApiError("invalid_request", message, param="matchers")
    try:
        return await call.desk.store(_add_silence, asked, author(call))
    except TooManySilences as error:
        raise ApiError("invalid_request", f"{error}.") from error


async def _unsilence(call: Call) -> SilenceList:
    if not await call.desk.store(_end_silence, call.path["id"], author(call)):
        raise ApiError("not_found", "No silence of this id is in force.")
    return await call.desk.store(_in_force)


async def _test(call: Call) -> TriedWays:
    """A notice and its end, past the store: what is tried is the way."""
    asked: TryWays = call.body
    known = sorted(call.desk.plans.declared.control.notifications.ways)
    if asked.way is not None and asked.way not in known:
        message = f"There is no way {quoted(asked.way)}{nearest(asked.way, known)}."
        raise ApiError("not_found", message, param="way")
    if not known:
        message = "The plan declares no way: write some below control.notifications.ways."
        raise ApiError("invalid_request", message)
    ways = known if asked.way is None else [asked.way]
    tried = [asyncio.to_thread(_try, call, way) for way in ways]
    return TriedWays(list(await asyncio.gather(*tried)))


ROWS = (
    Row("GET", "/api/notices", "viewer", _list, query=NoticeQuery),
    Row("GET", "/api/notices/silences", "viewer", _silences),
    Row("POST", "/api/notices/silences", "operator", _silence, body=NewSilence, status=201),
    Row("POST", "/api/notices/silences/{id}/end", "operator", _unsilence),
    Row("POST", "/api/notices/test", "operator", _test, body=TryWays),
)


def _page(engine: Engine, asked: NoticeQuery) -> NoticeList:
    with database.reading(engine) as connection:
        found = notices.recent(
            connection, only_open=asked.open, before=asked.before, limit=asked.limit
        )
        ids = [one.id for one in found]
        held = notices.silenced(connection, ids)
        ways = told.of_notices(connection, ids)
    views = [
        NoticeView(one, held.get(one.id), [WayView.of(*fate) for fate in ways.get(one.id, [])])
        for one in found
    ]
    return NoticeList(views, ids[-1] if len(found) == asked.limit else None)


def _in_force(engine: Engine) -> SilenceList:
    with database.reading(engine) as connection:
        return SilenceList(silences.in_force(connection, clock.wall_s()))


def _add_silence(engine: Engine, asked: NewSilence, by: Author) -> Silence:
    with database.writing(engine) as connection:
        until_s = by.at_s + asked.lasts_s
        silence = silences.add(connection, asked.matchers, until_s, asked.reason, by)
        deliveries.hold_back(connection, silence)
        return silence


def _end_silence(engine: Engine, silence_id: str, by: Author) -> bool:
    with database.writing(engine) as connection:
        return silences.end(connection, silence_id, by)


def _try(call: Call, way: str) -> TriedWay:
    now_s, new_id = clock.wall_s(), clock.IdSource().new
    declared = call.desk.plans.declared.control.notifications
    by = author(call).actor
    told = Notice(
        id=new_id(),
        key=f"test/{way}",
        topic="test",
        severity="info",
        title="A test: this is how notices arrive here",
        text=f"{by} asked for it. Nothing is wrong.",
        at_s=now_s,
    )
    first = Message(new_id(), declared.source, now_s, (told,))
    over = replace(told, resolved_at_s=now_s, resolution="The test is over.")
    ending = Message(new_id(), declared.source, now_s, (over,), ends=first.id)
    try:
        began = send(declared, os.environ, way, first)
        send(declared, os.environ, way, ending, began.posted)
    except NotDelivered as error:
        return TriedWay(way, error.reason, None)
    return TriedWay(way, None, began.remark)
