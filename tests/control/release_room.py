"""A control without sockets that has releases, with blocks and a loop that is ticked by hand."""

import asyncio
import random
from typing import Any

from sqlalchemy import Connection
from tests.control.conftest import Room
from tests.stats.release import arm, block

from tidegate.control.decide import Decided
from tidegate.core.assessment import AssessedAs, Assessment
from tidegate.core.block import ArmBlock
from tidegate.core.change import Change, Revision
from tidegate.core.declared_loop import DeclaredLoop
from tidegate.stores import assessments, blocks, changes, database, revisions, rollouts
from tidegate.stores.rollouts import Kept

PLAN = """\
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  old: {provider: mine, model: old, price: free}
  new: {provider: mine, model: new, price: free}
routes:
  chat: old
"""
RELEASE = """\
owner: ada
why: it is cheaper
change: {target: new}
soak: 50ms
harm: {error: {margin: 0.05}}
steps:
  - {weight: 10%, min_units: 20, min: 1ms, max: 10m, smoke: true}
  - {weight: 100%, min_units: 20, min: 1ms, max: 10m}
"""
NAME = "chat/next"


def furnish(room: Room, release: str = RELEASE, plan: str = PLAN) -> None:
    """A plan with two targets, and the file of a release."""
    room.plan_file.write_text(plan)
    asyncio.run(room.plans.reload("api"))
    write(room, "next", release)


def write(room: Room, name: str, release: str = RELEASE, route: str = "chat") -> None:
    file = room.plan_file.parent / "releases" / route / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(release)


def create(room: Room, name: str = NAME) -> None:
    answer = room.ask("POST", "/api/releases", {"id": name})
    assert answer.status_code == 201, answer.text


def ask(room: Room, what: str, name: str = NAME, **given: Any) -> Any:
    return room.ask("POST", "/api/releases/ask", {"id": name, "what": what, **given})


def tick(room: Room, **declared: Any) -> tuple[Decided, ...]:
    return asyncio.run(room.loop.tick(DeclaredLoop(**declared)))


def append(
    room: Room, stable: ArmBlock, canary: ArmBlock, weight: float = 0.1, name: str = NAME
) -> None:
    """One block of the release, as its recorder would store it."""
    found = block(stable, canary, weight)
    found.rollout = name
    with database.writing(room.desk.engine) as connection:
        blocks.append(connection, "", found, 0, 0)


def good(room: Room, count: int = 1, name: str = NAME) -> None:
    """Blocks in which both arms do well."""
    for _ in range(count):
        append(room, arm(900, 9), arm(100, 1), name=name)


def bad(room: Room, name: str = NAME) -> None:
    """A block in which the candidate fails at once."""
    append(room, arm(900, 9), arm(20, 20), name=name)


def lead_to(room: Room, state: str, most: int = 40) -> None:
    """Tick over good traffic until it has come to that state."""
    for _ in range(most):
        if kept(room).state == state:
            return
        good(room)
        tick(room)
    raise AssertionError(f"{kept(room)} is not {state}")


def begun(room: Room, release: str = RELEASE, plan: str = PLAN) -> None:
    """A release that was created and started, after one tick."""
    furnish(room, release, plan)
    create(room)
    assert ask(room, "start").status_code == 200
    tick(room)


async def asked_to_roll_back(room: Room, name: str = NAME) -> None:
    """Somebody asks, and the loop that is woken ticks."""
    room.loop._woken.clear()
    asking = asyncio.create_task(asyncio.to_thread(ask, room, "rollback", name, reason="so"))
    while not room.loop._woken.is_set():  # noqa: ASYNC110 - it is set by another thread
        await asyncio.sleep(0.01)
    await room.loop.tick(DeclaredLoop())
    answer = await asking
    assert answer.status_code == 200, answer.text


def kept(room: Room, name: str = NAME) -> Kept:
    def read(connection: Connection) -> Kept:
        return rollouts.find(connection, name)

    with database.reading(room.desk.engine) as connection:
        return read(connection)


def held(room: Room) -> dict[str, float]:
    """What is in force of route chat, by lever."""
    with database.reading(room.desk.engine) as connection:
        found: list[Change] = changes.in_force(connection, 0.0)
    return {one.lever: one.value for one in found if one.scope == "chat"}


def dials(room: Room) -> dict[str, float]:
    """The weights that are in force, by what they are held for."""
    with database.reading(room.desk.engine) as connection:
        found: list[Change] = changes.in_force(connection, 0.0)
    return {one.scope: one.value for one in found if one.lever == "release_weight"}


def revised(room: Room) -> list[str]:
    with database.reading(room.desk.engine) as connection:
        found: list[Revision] = revisions.every(connection)
    return [one.kind for one in found]


def assessed(room: Room, canary_bad: int, *, count: int = 60, kind: AssessedAs = "quality") -> None:
    """Of so many requests of each arm what was found afterwards: one of ten is bad, and of the
    candidate's so many."""
    made = [
        Assessment(
            *(f"{kind}-{arm}-{n}", kind, n < bad, 65.0, 5.0),
            route="chat",
            rollout=NAME,
            arm="canary" if arm == "canary" else "stable",
            unit=n,
            unit_kind="request",
        )
        for arm, bad in (("stable", count // 10), ("canary", canary_bad))
        for n in range(count)
    ]
    random.Random(1).shuffle(made)
    with database.writing(room.desk.engine) as connection:
        assessments.store(connection, made)
