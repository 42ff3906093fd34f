"""Changes by people: which levers are held, holding one for a while, approving, ending."""

from collections.abc import Callable

from sqlalchemy import Connection, Engine

from tidegate.control import reach
from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_changes import (
    ChangeList,
    ChangeMade,
    ChangeQuery,
    ChangeView,
    NewChange,
)
from tidegate.core import clock
from tidegate.core.change import Change
from tidegate.core.levers import LEVERS, wrong
from tidegate.stores import changes, database, leadership
from tidegate.stores.audit import Author
from tidegate.stores.changes import ChangeNotFound, ChangeRefused, Kept, LeverTaken

OPERATOR = "operator:"
LONGEST_S = 90 * 86_400.0


async def _list(call: Call) -> ChangeList:
    query: ChangeQuery = call.query

    def read(engine: Engine) -> ChangeList:
        now_s = clock.wall_s()
        with database.reading(engine) as connection:
            led = leadership.present(connection)
            found = changes.recent(connection, ended=query.ended, limit=query.limit)
        views = [ChangeView.of(kept, now_s, led) for kept in found]
        return ChangeList(views, led.epoch, led.renewed_at_s)

    return await call.desk.store(read)


async def _show(call: Call) -> ChangeView:
    def read(engine: Engine) -> ChangeView:
        with database.reading(engine) as connection:
            return _view(connection, _find(connection, call.path["id"]))

    return await call.desk.store(read)


async def _set(call: Call) -> ChangeMade:
    asked: NewChange = call.body
    by, plan = _person(call), call.desk.plans.current
    wanted = call.desk.plans.declared.control.approvals
    needs = max(asked.approvals, wanted.get(asked.lever, 0))
    what = wrong(asked.lever, asked.scope, asked.value)
    if what is not None:
        param = "lever" if asked.lever not in LEVERS else "value"
        raise ApiError("invalid_request", f"{what}.", param=param)
    what = reach.missing(plan, asked.lever, asked.scope)
    if what is not None:
        raise ApiError("invalid_request", f"{what}.", param="scope")
    if not 0 < asked.for_s <= LONGEST_S:
        message = "for_s is more than 0 seconds and no more than 90 days."
        raise ApiError("invalid_request", message, param="for_s")
    change = Change(
        clock.IdSource().new(),
        asked.lever,
        asked.scope,
        asked.value,
        asked.reason,
        by.actor,
        by.at_s,
        until_s=by.at_s + asked.for_s,
    )

    def hold(connection: Connection) -> Kept:
        if asked.lever == "target_off" and asked.value and not asked.anyway:
            in_force = changes.in_force(connection, by.at_s)
            left = reach.left_without(plan, in_force, asked.scope)
            if left:
                message = (
                    f"With {asked.scope} off nothing serves {', '.join(left)}; send `anyway` "
                    "if that is meant."
                )
                raise ApiError("invalid_request", message, param="anyway")
        return changes.find(connection, changes.hold(connection, change, needs).id)

    return await _made(call, hold)


async def _end(call: Call) -> ChangeMade:
    by = _person(call)

    def end(connection: Connection) -> Kept:
        return changes.find(connection, changes.let_go(connection, call.path["id"], by).id)

    return await _made(call, end)


async def _approve(call: Call) -> ChangeMade:
    by = _person(call)
    return await _made(call, lambda store: changes.approve(store, call.path["id"], by))


ROWS = (
    Row("GET", "/api/changes", "viewer", _list, query=ChangeQuery),
    Row("POST", "/api/changes", "operator", _set, body=NewChange, status=201),
    Row("GET", "/api/changes/{id}", "viewer", _show),
    Row("POST", "/api/changes/{id}/end", "operator", _end),
    Row("POST", "/api/changes/{id}/approve", "operator", _approve),
)


def _person(call: Call) -> Author:
    """Who asks, by the name that changes are kept under."""
    by = author(call)
    return Author(f"{OPERATOR}{by.actor}", by.at_s)


async def _made(call: Call, act: Callable[[Connection], Kept]) -> ChangeMade:
    """Change what is in force, and wait for gateways to obey it. ApiError."""

    def write(engine: Engine) -> ChangeView:
        with database.writing(engine) as connection:
            try:
                return _view(connection, act(connection))
            except LeverTaken as error:
                raise ApiError("taken", f"{error}.") from error
            except ChangeNotFound as error:
                raise ApiError("not_found", f"{error}.") from error
            except ChangeRefused as error:
                raise ApiError("invalid_request", f"{error}.") from error

    view = await call.desk.store(write)
    waiting_for = await call.desk.obeyed(await call.desk.newest_seq())
    return ChangeMade(view, waiting_for)


def _find(connection: Connection, change_id: str) -> Kept:
    try:
        return changes.find(connection, change_id)
    except ChangeNotFound as error:
        raise ApiError("not_found", f"{error}.") from error


def _view(connection: Connection, kept: Kept) -> ChangeView:
    return ChangeView.of(kept, clock.wall_s(), leadership.present(connection))
