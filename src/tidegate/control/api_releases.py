"""Releases: made of their files, asked for by people, moved on by the loop."""

import asyncio
import os
from collections.abc import Callable
from typing import Final, TypeVar

from msgspec.structs import replace
from sqlalchemy import Connection, Engine

from tidegate.config.releases import against_plan, read_release, release_file
from tidegate.control import release_views
from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.release_certificates import certificates_of, of_nobody
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_releases import (
    AskRelease,
    OneRelease,
    ReleaseAsked,
    ReleaseExplained,
    ReleaseList,
    ReleaseMade,
    ReleaseQuery,
)
from tidegate.core import clock
from tidegate.core.compile_rollout import guarded, never_known
from tidegate.core.rollout import CERTIFICATE, Rollout
from tidegate.core.rollout_state import ENDED, Asked, State, What
from tidegate.stores import database, rollouts
from tidegate.stores.rollouts import Kept, RolloutKept, RolloutNotFound

T = TypeVar("T")

UNDONE_TIMEOUT_S: Final = 3.0
_LOOK_AGAIN_S: Final = 0.05

_SERVING: Final[frozenset[State]] = frozenset({"shadow", "step", "analysing", "paused"})
_OPEN: Final[frozenset[State]] = frozenset({"created", "gated", *_SERVING, "promoted", "soak"})
# In which states each wish makes a difference.
_WHERE: Final[dict[What, frozenset[State]]] = {
    "start": frozenset({"created"}),
    "pause": _SERVING,
    "resume": frozenset({"paused"}),
    "approve": frozenset({"gated", "analysing"}),
    "rollback": _OPEN,
    "skip_analysis": _SERVING,
    "waive_certificate": frozenset({"created", "gated", *_SERVING}),
    "gate_passed": frozenset({"created", "gated"}),
    "gate_failed": frozenset({"created", "gated"}),
}
_NEEDS_REASON: Final[frozenset[What]] = frozenset(
    {"rollback", "skip_analysis", "waive_certificate"}
)
_ABOUT_GATES: Final[frozenset[What]] = frozenset({"gate_passed", "gate_failed"})


async def _list(call: Call) -> ReleaseList:
    query: ReleaseQuery = call.query

    def read(engine: Engine) -> ReleaseList:
        with database.reading(engine) as connection:
            found = release_views.every(connection, ended=query.ended)
        views = [release_views.view(one) for one in found]
        return ReleaseList(views, call.desk.loop.status.at_s)

    return await call.desk.store(read)


async def _explain(call: Call) -> ReleaseExplained:
    query: OneRelease = call.query

    def read(engine: Engine) -> ReleaseExplained:
        with database.reading(engine) as connection:
            found = release_views.find(connection, query.id)
            notes = _notes(call, connection, found.kept)
            return release_views.explained(connection, found, notes)

    return await call.desk.store(_found(read, query.id))


async def _create(call: Call) -> ReleaseMade:
    asked: OneRelease = call.body
    by = author(call)

    def create(engine: Engine) -> ReleaseMade:
        rollout = _read(call, asked.id)
        with database.writing(engine) as connection:
            try:
                is_new = rollouts.create(connection, rollout, by)
            except RolloutKept as kept:
                raise ApiError("taken", f"{kept}.", param="id") from kept
        with database.reading(engine) as connection:
            notes = _notes(call, connection, rollouts.find(connection, rollout.id))
        return ReleaseMade(rollout.id, is_new, notes)

    return await call.desk.store(create)


async def _ask(call: Call) -> ReleaseAsked:
    asked: AskRelease = call.body
    by = author(call)
    if asked.what in _NEEDS_REASON and not asked.reason.strip():
        message = f"Say why: {asked.what} needs a reason, which is kept."
        raise ApiError("invalid_request", message, param="reason")

    def ask(engine: Engine) -> tuple[ReleaseAsked, State]:
        with database.writing(engine) as connection:
            kept = rollouts.find(connection, asked.id)
            _refuse_vain(connection, kept, asked, by.actor)
            wish = Asked(0, asked.id, asked.what, by.actor, by.at_s, asked.reason, asked.gate)
            made = ReleaseAsked(asked.id, asked.what, rollouts.ask(connection, wish))
            return made, kept.state

    made, state = await call.desk.store(_found(ask, asked.id))
    call.desk.loop.wake()
    if asked.what != "rollback":
        return made
    return await _undone(call, made, by_plan=state not in _SERVING)


ROWS = (
    Row("GET", "/api/releases", "viewer", _list, query=ReleaseQuery),
    Row("POST", "/api/releases", "operator", _create, body=OneRelease, status=201),
    Row("GET", "/api/releases/explain", "viewer", _explain, query=OneRelease),
    Row("POST", "/api/releases/ask", "operator", _ask, body=AskRelease),
)


def _read(call: Call, name: str) -> Rollout:
    """The release as its file says it, on the plan that is declared. ApiError."""
    plans = call.desk.plans
    try:
        file = release_file(plans.file, name)
    except ValueError as error:
        raise ApiError("invalid_request", f"{error}.", param="id") from error
    read = read_release(file, plans.file, os.environ)
    problems = read.problems
    if read.rollout is not None:
        facts = call.desk.compiling.facts()
        problems = against_plan(read, plans.declared, facts, clock.wall_s())
    if read.rollout is None or problems:
        message = f"Release {name} is refused, and nothing is changed: put its file right."
        raise ApiError("plan_refused", message, problems=[str(one) for one in problems])
    return guarded(read.rollout, plans.declared.routes[read.rollout.route])


def _notes(call: Call, connection: Connection, kept: Kept) -> list[str]:
    """What keeps it from being promoted as things are."""
    route = call.desk.plans.declared.routes.get(kept.rollout.route)
    if route is None or kept.ended_at_s is not None:
        return []
    return [*_uncertified(call, connection, kept), *never_known(kept.rollout, route)]


def _uncertified(call: Call, connection: Connection, kept: Kept) -> list[str]:
    """What it needs certificates of and has none, and what none is about."""
    asked = certificates_of(call.desk.plans, call.desk.compiling)
    if kept.ended_at_s is not None:
        return []
    lacking, notes = of_nobody([kept]), list[str]()
    if asked is not None:
        lacking = asked.missing(connection, [kept], clock.wall_s())
        notes = asked.notes(kept.rollout)
    return [*(f"gate {CERTIFICATE}: {one}" for one in lacking.get(kept.rollout.id, ())), *notes]


def _found(read: Callable[[Engine], T], name: str) -> Callable[[Engine], T]:
    def asking(engine: Engine) -> T:
        try:
            return read(engine)
        except RolloutNotFound as error:
            message = f"There is no release {name}: `tidegate release create` makes it of its file."
            raise ApiError("not_found", message, param="id") from error

    return asking


async def _undone(call: Call, made: ReleaseAsked, *, by_plan: bool) -> ReleaseAsked:
    """Wait a little until the release is back and every gateway obeys that. `by_plan`: what was
    promoted is back with the next plan, anything else without."""
    desk = call.desk

    def is_done(engine: Engine) -> bool:
        with database.reading(engine) as connection:
            ended = rollouts.find(connection, made.id).state in ENDED
        return ended and not (by_plan and desk.compiling.is_behind())

    until_s = clock.monotonic_s() + UNDONE_TIMEOUT_S
    while not (done := await desk.store(is_done)) and clock.monotonic_s() < until_s:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_AGAIN_S)
    waiting_for = await desk.obeyed(await desk.newest_seq()) if done else []
    return replace(made, is_done=done, waiting_for=waiting_for)


def _refuse_vain(connection: Connection, kept: Kept, asked: AskRelease, who: str) -> None:
    """What would come to nothing is refused, so that nobody waits for it. ApiError."""
    state, rollout = kept.state, kept.rollout
    if asked.what not in _WHERE or state not in _WHERE[asked.what]:
        more = " It has ended: make another release." if state in ENDED else ""
        message = f"Release {asked.id} is {state}: {asked.what} means nothing then.{more}"
        raise ApiError("invalid_request", message, param="what")
    if (asked.gate is not None) is not (asked.what in _ABOUT_GATES):
        message = "Name the gate of an outcome, and of nothing else."
        raise ApiError("invalid_request", message, param="gate")
    if asked.gate == CERTIFICATE:
        message = (
            "Nobody reports this gate: control looks for certificates, which `tidegate gate` gets. "
            "`tidegate release waive-certificate` goes without, and keeps who did."
        )
        raise ApiError("invalid_request", message, param="gate")
    if asked.gate is not None and asked.gate not in rollout.gates:
        known = ", ".join(rollout.gates) or "none"
        message = f"Release {asked.id} has no gate {asked.gate}; it has {known}."
        raise ApiError("invalid_request", message, param="gate")
    if asked.what == "approve":
        _refuse_own(connection, kept, who)


def _refuse_own(connection: Connection, kept: Kept, who: str) -> None:
    """Nobody approves what they made or started, nor twice. ApiError."""
    name = kept.rollout.id
    before = rollouts.wishes(connection, name)
    if who == kept.author or any(it.what == "start" and it.who == who for it in before):
        message = f"{who} made or started release {name}: somebody else has to approve it."
        raise ApiError("taken", message, param="what")
    if who in release_views.find(connection, name).memory.standing.approved_by:
        message = f"{who} has said yes before: somebody else has to."
        raise ApiError("taken", message, param="what")
