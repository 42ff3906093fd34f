"""Where the plan that is served is not what its file says: why, and the patch for the file."""

import asyncio

from tidegate.control.drift import Drift, drift, write_back
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_changes import ChangeView
from tidegate.control.shapes_drift import DriftView, MovedView, OvertakenView, WriteBack
from tidegate.core import clock
from tidegate.stores import changes, database, leadership


async def _drift(call: Call) -> DriftView:
    found = await _found(call)
    moved = [
        MovedView(
            *(one.route, one.member, one.file, one.served),
            *(one.revision.kind, one.revision.rollout, one.revision.author),
            *(one.revision.reason, one.revision.at_s),
        )
        for one in found.moved
    ]
    overtaken = [
        OvertakenView(
            it.revision.route, it.revision.kind, it.revision.rollout, it.why, it.revision.at_s
        )
        for it in found.superseded
    ]
    return DriftView(str(call.desk.plans.file), moved, overtaken, await _held(call))


async def _write_back(call: Call) -> WriteBack:
    found = await _found(call)
    plans, environ = call.desk.plans, call.desk.compiling.environ
    try:
        return await asyncio.to_thread(write_back, plans.file, environ, found.wanted)
    except (OSError, UnicodeDecodeError) as error:
        message = f"The plan file {plans.file} cannot be read now: {error}."
        raise ApiError("plan_refused", message) from error


ROWS = (
    Row("GET", "/api/plan/drift", "viewer", _drift),
    Row("GET", "/api/plan/write-back", "operator", _write_back),
)


async def _found(call: Call) -> Drift:
    desk = call.desk
    added = await desk.store(lambda _engine: desk.compiling.added())
    return await asyncio.to_thread(drift, desk.plans.declared, added)


async def _held(call: Call) -> list[ChangeView]:
    def read(engine: object) -> list[ChangeView]:
        now_s = clock.wall_s()
        with database.reading(call.desk.engine) as connection:
            led = leadership.present(connection)
            kept = changes.recent(connection, limit=1000)
        return [ChangeView.of(it, now_s, led) for it in kept if it.remaining_s(now_s, led) > 0]

    return await call.desk.store(read)
