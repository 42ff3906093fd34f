"""Changes by people: which levers are held, holding one for a while, now or later, approving,
ending."""

from collections.abc import Callable

from sqlalchemy import Connection, Engine

from tidegate.control import beginning, change_notices, reach
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
from tidegate.core.plan import Plan
from tidegate.stores import changes, database, leadership, schedule
from tidegate.stores.audit import Author
from tidegate.stores.changes import ChangeNotFound, ChangeRefused, LeverTaken
from tidegate.stores.schedule import Scheduled

OPERATOR = "operator:"
LONGEST_S = 90 * 86_400.0
FURTHEST_S = 400 * 86_400.0


async def _list(call: Call) -> ChangeList:
    query: ChangeQuery = call.query

    def read(engine: Engine) -> ChangeList:
        now_s = clock.wall_s()
        with database.reading(engine) as connection:
            led = leadership.present(connection)
            found = changes.recent(connection, ended=query.ended, limit=query.limit)
            later = schedule.to_come(connection)
            never = schedule.never_begun(connection, query.limit) if query.ended else []
        views = [ChangeView.of(kept, now_s, led) for kept in found]
        views += [ChangeView.of_scheduled(one) for one in (*later, *never)]
        views.sort(key=_what_first)
        views = sorted(views[: query.limit], key=lambda one: one.from_s, reverse=True)
        return ChangeList(views, led.epoch, led.renewed_at_s)

    return await call.desk.store(read)


def _what_first(one: ChangeView) -> tuple[int, float]:
    """What holds, what is next to begin, and what ended last: so little is left out of a list that
    what is to come hides nothing that holds."""
    if one.state == "ended":
        return 2, -one.from_s
    is_to_come = one.state in ("scheduled", "waiting")
    return (1, one.from_s) if is_to_come else (0, -one.from_s)


async def _show(call: Call) -> ChangeView:
    def read(engine: Engine) -> ChangeView:
        with database.reading(engine) as connection:
            return _view(connection, call.path["id"])

    return await call.desk.store(read)


async def _set(call: Call) -> ChangeMade:
    asked: NewChange = call.body
    by, plan = _person(call), call.desk.plans.current
    wanted = call.desk.plans.declared.control.approvals
    needs = max(asked.approvals, wanted.get(asked.lever, 0))
    _refuse_wrong(asked, plan)
    from_s = _begins_s(asked, by.at_s)
    change = Change(
        clock.IdSource().new(),
        asked.lever,
        asked.scope,
        asked.value,
        asked.reason,
        by.actor,
        from_s,
        until_s=from_s + asked.for_s,
    )
    one = Scheduled(change, needs, asked.anyway)

    def hold(connection: Connection) -> None:
        message = beginning.refusal(connection, plan, one, by.at_s)
        if message is not None:
            message = f"{message[0].upper()}{message[1:]}; send `anyway` if that is meant."
            raise ApiError("invalid_request", message, param="anyway")
        if asked.at_s is not None:
            schedule.add(connection, one, by.at_s)
        else:
            changes.hold(connection, change, needs)
        if needs:
            change_notices.waits(connection, change, needs, by.at_s)
        elif asked.at_s is None:
            change_notices.begins(connection, change, by.at_s)

    return await _made(call, change.id, hold)


async def _end(call: Call) -> ChangeMade:
    by, change_id = _person(call), call.path["id"]

    def end(connection: Connection) -> None:
        if schedule.is_open(connection, change_id):
            one = schedule.find(connection, change_id)
            schedule.close(connection, one, by)
            ended = one.change
        else:
            ended = changes.let_go(connection, change_id, by)
        change_notices.ends(connection, ended, by.at_s)

    return await _made(call, change_id, end)


async def _approve(call: Call) -> ChangeMade:
    by, change_id = _person(call), call.path["id"]

    def approve(connection: Connection) -> None:
        if schedule.is_open(connection, change_id):
            one = schedule.approve(connection, change_id, by)
            if not one.waits:
                change_notices.approved(connection, one.change, by.at_s)
            return
        kept = changes.approve(connection, change_id, by)
        if len(kept.change.approved_by) >= kept.needs:
            change_notices.begins(connection, kept.change, by.at_s)

    return await _made(call, change_id, approve)


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


def _refuse_wrong(asked: NewChange, plan: Plan) -> None:
    """ApiError for what could not be a change."""
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


def _begins_s(asked: NewChange, now_s: float) -> float:
    """When it begins, by the wall clock. ApiError."""
    if asked.at_s is None:
        return now_s
    if not now_s < asked.at_s <= now_s + FURTHEST_S:
        message = "at_s is a time to come, no more than 400 days away; without it, it begins now."
        raise ApiError("invalid_request", message, param="at_s")
    return asked.at_s


async def _made(call: Call, change_id: str, act: Callable[[Connection], object]) -> ChangeMade:
    """Change what is in force, or will be, and wait for gateways to obey it. ApiError."""

    def write(engine: Engine) -> ChangeView:
        with database.writing(engine) as connection:
            try:
                act(connection)
                return _view(connection, change_id)
            except LeverTaken as error:
                raise ApiError("taken", f"{error}.") from error
            except ChangeNotFound as error:
                raise ApiError("not_found", f"{error}.") from error
            except ChangeRefused as error:
                raise ApiError("invalid_request", f"{error}.") from error

    view = await call.desk.store(write)
    waiting_for = await call.desk.obeyed(await call.desk.newest_seq())
    return ChangeMade(view, waiting_for)


def _view(connection: Connection, change_id: str) -> ChangeView:
    """Of one that has begun, or of one that has not. ApiError."""
    try:
        kept = changes.find(connection, change_id)
    except ChangeNotFound:
        try:
            return ChangeView.of_scheduled(schedule.find(connection, change_id))
        except ChangeNotFound as error:
            raise ApiError("not_found", f"{error}.") from error
    return ChangeView.of(kept, clock.wall_s(), leadership.present(connection))
