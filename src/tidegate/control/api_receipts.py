"""Receipts: the newest and what comes next, one by its id, the worst of a window, its sums."""

import asyncio

from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
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
    which = Filter(route=asked.route, key_id=asked.key_id, team=asked.team, failed=asked.failed)
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
    if found is None:
        raise ApiError("not_found", f"There is no receipt {call.path['id'][:64]!r}.")
    return found


async def _top(call: Call) -> ReceiptTop:
    asked = call.query
    worst = await call.desk.store(receipts.top, asked.by, _window(asked), limit=asked.limit)
    return ReceiptTop(worst)


async def _summary(call: Call) -> Summary:
    return await call.desk.store(summary, _window(call.query))


ROWS = (
    Row("GET", "/api/receipts", "viewer", _recent, query=ReceiptQuery),
    Row("GET", "/api/receipts/top", "viewer", _top, query=TopQuery),
    Row("GET", "/api/receipts/summary", "viewer", _summary, query=WindowQuery),
    Row("GET", "/api/receipts/{id}", "viewer", _show),
)


def _window(asked: WindowQuery) -> Filter:
    since_s = clock.wall_s() - asked.since_s
    return Filter(since_s, route=asked.route, key_id=asked.key_id, team=asked.team)
