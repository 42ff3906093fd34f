"""What binds a release, and what is seen of its shadow."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw
from sqlalchemy import Engine, update
from tests.control import release_room as rooms
from tests.control.conftest import Room
from tests.stores import rig as stores

from tidegate.control import observe
from tidegate.control.moment import Moment
from tidegate.control.observe import Releases
from tidegate.controllers.release import View
from tidegate.core.layout import Layout
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.stores import database, rollouts
from tidegate.stores.ledger import Ledger
from tidegate.stores.schema_rollouts import memories

# A Wednesday at noon.
NOON_S = 1_790_164_800.0


def test_copies_are_counted_from_when_the_shadow_began(room: Room, engine: Engine) -> None:
    shadowed = rooms.RELEASE + "shadow: {share: 50%, min_requests: 20, usd: 1}\n"
    rooms.begun(room, shadowed)
    rooms.tick(room)
    assert rooms.kept(room).state == "shadow"
    since_s = rooms.kept(room).since_s
    shown = [
        stores.receipt(since_s + 1, route="chat", arm=arm, rollout=rooms.NAME, purpose="shadow")
        for arm in ("shadow", "shadow", "stable")
    ]
    Ledger(engine).write(stores.entries(*shown), [])
    recorder = Recorder(Layout(Path(room.layout.state)), engine, Metrics())
    recorder.folding.step()
    recorder.folding.close()
    rooms.tick(room)
    with database.reading(engine) as connection:
        watcher = Releases()
        memories = {rooms.NAME: room.loop._memories["release"][rooms.NAME]}
        [seen] = watcher.observe(connection, Moment(since_s + 20, 1.0), memories)
    assert isinstance(seen.view, View)
    assert seen.view.shadow.requests == 2


def test_a_view_that_is_kept_comes_back_whole(room: Room, engine: Engine) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.good(room, 3)
    watcher = Releases()
    with database.reading(engine) as connection:
        memories = {rooms.NAME: room.loop._memories["release"][rooms.NAME]}
        [seen] = watcher.observe(connection, Moment(1.0, 1.0), memories)
        again = watcher.refilled(connection, watcher.kept(seen.view), Raw())
    assert again == seen.view
    assert len(again.blocks) == 3
    assert b"tallies" not in watcher.kept(seen.view)


def test_what_another_arithmetic_judged_is_not_judged_again(room: Room, engine: Engine) -> None:
    """A replay says so, and not that the decision was another."""
    rooms.begun(room)
    rooms.lead_to(room, "step")
    watcher = Releases()
    with database.reading(engine) as connection:
        memories = {rooms.NAME: room.loop._memories["release"][rooms.NAME]}
        [seen] = watcher.observe(connection, Moment(1.0, 1.0), memories)
        older = msgspec.json.decode(watcher.kept(seen.view))
        del older["arithmetic"]
        with pytest.raises(LookupError, match="arithmetic 1 of another version"):
            watcher.refilled(connection, msgspec.json.encode(older), Raw())


def test_blocks_that_were_not_taken_in_come_again(room: Room, engine: Engine) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    watcher = Releases()
    memories = {rooms.NAME: room.loop._memories["release"][rooms.NAME]}

    def given() -> list[int]:
        with database.reading(engine) as connection:
            [seen] = watcher.observe(connection, Moment(1.0, 1.0), memories)
        assert isinstance(seen.view, View)
        return [seq for seq, _ in seen.view.blocks]

    assert given() == []
    rooms.good(room, 2)
    first = given()
    assert len(first) == 2
    assert given() == first  # nobody has taken them in
    decision = watcher.controller.decide(seen_by(watcher, engine, memories), memories[rooms.NAME])
    memories[rooms.NAME] = decision.memory
    assert given() == []
    rooms.good(room)
    assert len(given()) == 1


def seen_by(watcher: Releases, engine: Engine, memories: dict[str, Raw]) -> View:
    with database.reading(engine) as connection:
        [seen] = watcher.observe(connection, Moment(1.0, 1.0), memories)
    assert isinstance(seen.view, View)
    return seen.view


def test_more_blocks_than_fit_a_tick_come_in_the_next(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "MAX_BLOCKS", 2)
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.good(room, 5)
    watcher = Releases()
    memories = {rooms.NAME: room.loop._memories["release"][rooms.NAME]}
    counts = []
    for _ in range(4):
        view = seen_by(watcher, engine, memories)
        counts.append(len(view.blocks))
        memories[rooms.NAME] = watcher.controller.decide(view, memories[rooms.NAME]).memory
    assert counts == [2, 2, 1, 0]


def test_a_memory_that_cannot_be_read_holds_its_release_alone(room: Room, engine: Engine) -> None:
    """It gets nobody, says why, and can be rolled back; the others go on."""
    two = rooms.PLAN + "  mail: old\n"
    rooms.begun(room, plan=two)
    rooms.lead_to(room, "step")
    with database.writing(engine) as connection:
        mine = memories.c.subject == rooms.NAME
        connection.execute(update(memories).where(mine).values(memory=b"\xc1 torn"))
    room.loop._forget()  # as a loop that starts anew
    rooms.write(room, "next", route="mail")
    rooms.create(room, "mail/next")
    rooms.ask(room, "start", "mail/next")
    for _ in range(3):
        rooms.tick(room)
    with database.reading(engine) as connection:
        assert rollouts.find(connection, "mail/next").state == "step"
    assert (rooms.kept(room).state, rooms.held(room)) == ("step", {})
    shown = {one["id"]: one for one in room.ask("GET", "/api/releases").json()["releases"]}
    assert "cannot be read" in shown[rooms.NAME]["problem"]
    assert shown["mail/next"]["problem"] is None
    asyncio.run(rooms.asked_to_roll_back(room))
    assert rooms.kept(room).state == "rolled_back"
    assert room.plans.current.routes["chat"].candidate is None
    assert room.plans.current.routes["mail"].candidate is not None
