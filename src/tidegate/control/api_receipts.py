"""Receipts: the newest and what comes next, one by its id, the worst of a window, its sums."""

import asyncio

from tidegate.control.errors import ApiError
from tidegate.control.routes import NO_FIELDS, Call, Row
from tidegate.control.shapes import (
    ReceiptPage,
    ReceiptQuery,
    ReceiptTop,
    TopQuery,
    WindowQuery,
)
from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.stores import receipts
from tidegate.stores.figures import Summary
from tidegate.stores.receipts import Filter
from tidegate.stores.summary import summary

_LOOK_S = 0.1


async def _recent(call: Call) -> ReceiptPage:
    asked = call.query
    which = Filter(
        route=asked.route,
        key_id=asked.key_id,
        team=_team(call),
        rung=asked.rung,
        target=asked.target,
        purpose=asked.purpose,
        session_id=asked.session_id,
        validity=asked.validity,
        model_refusal=asked.model_refusal,
        failed=asked.failed,
    )
    if asked.after is None:
        # The cursor is read first: a receipt that arrives in between comes twice, never not.
        cursor = await call.desk.store(receipts.newest_seq)
        newest = await call.desk.store(receipts.recent, which, limit=asked.limit)
        return ReceiptPage(newest[::-1], cursor)
    deadline_s = clock.monotonic_s() + asked.wait_s
    cursor = asked.after
    while True:
        cursor, found = await call.desk.store(
            receipts.arrived_after, cursor, which, limit=asked.limit
        )
        left_s = deadline_s - clock.monotonic_s()
        if found or left_s <= 0 or call.desk.ending:
            return ReceiptPage(found, cursor)
        await asyncio.sleep(min(_LOOK_S, left_s))


async def _show(call: Call) -> Receipt:
    found = await call.desk.store(receipts.by_id, call.path["id"])
    if found is None or (call.team is not None and found.team != call.team.id):
        raise ApiError("not_found", f"There is no receipt {call.path['id'][:64]!r}.")
    return found


async def _top(call: Call) -> ReceiptTop:
    asked = call.query
    worst = await call.desk.store(receipts.top, asked.by, _window(call), limit=asked.limit)
    return ReceiptTop(worst)


async def _summary(call: Call) -> Summary:
    return await call.desk.store(summary, _window(call))


_WHICH = frozenset({"route", "key_id"})
_MAY_FOLLOW = _WHICH | {
    *("after", "failed", "limit", "model_refusal", "purpose", "rung", "session_id", "target"),
    *("validity", "wait_s"),
}
_MAY_SUM = _WHICH | {"since_s"}
_MAY_RANK = _MAY_SUM | {"by", "limit"}

ROWS = (
    Row("GET", "/api/receipts", "viewer", _recent, query=ReceiptQuery, lead=_MAY_FOLLOW),
    Row("GET", "/api/receipts/top", "viewer", _top, query=TopQuery, lead=_MAY_RANK),
    Row("GET", "/api/receipts/summary", "viewer", _summary, query=WindowQuery, lead=_MAY_SUM),
    Row("GET", "/api/receipts/{id}", "viewer", _show, lead=NO_FIELDS),
)


def _team(call: Call) -> str | None:
    team: str | None = call.query.team if call.team is None else call.team.id
    return team


def _window(call: Call) -> Filter:
    asked = call.query
    since_s = clock.wall_s() - asked.since_s
    return Filter(since_s, route=asked.route, key_id=asked.key_id, team=_team(call))
