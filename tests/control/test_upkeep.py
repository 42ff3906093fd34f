import asyncio

from sqlalchemy import Engine
from tests.control import release_room as rooms
from tests.control.conftest import Room
from tests.stores import rig as stores
from tests.stores import said
from tests.stores.judged import calibrated

from tidegate.control.upkeep import Upkeep
from tidegate.core import clock
from tidegate.stores import (
    captures,
    database,
    decisions,
    judge_scores,
    judges,
    receipts,
    teams,
    turns,
)
from tidegate.stores.audit import Author
from tidegate.stores.judge_scores import Score
from tidegate.stores.ledger import Ledger
from tidegate.stores.receipts import Filter
from tidegate.stores.teams import TeamRecord

_DAY_S = 86_400.0


def upkeep(room: Room, *, leads: bool = True) -> Upkeep:
    return Upkeep(room.desk.engine, room.plans, room.compiling, room.log, lambda: leads)


def test_what_was_stored_and_never_published_is_published(room: Room, engine: Engine) -> None:
    asyncio.run(room.plans.reload("api"))
    with database.writing(engine) as connection:
        team = TeamRecord("blue", "", ("*",), clock.wall_s(), requests_per_minute=7)
        teams.add(connection, team, Author("ada", clock.wall_s()))
    assert [it.amount for it in room.plans.current.limits] == []
    asyncio.run(upkeep(room).publish())
    assert [it.amount for it in room.plans.current.limits] == [7]


def test_nothing_new_publishes_nothing(room: Room) -> None:
    asyncio.run(room.plans.reload("api"))
    version = room.plans.current.version
    asyncio.run(upkeep(room).publish())
    assert room.plans.current.version == version


def test_what_is_remembered_of_a_release_goes_after_its_end(room: Room, engine: Engine) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "done")
    ended_s = rooms.kept(room).ended_at_s
    assert ended_s is not None
    upkeep(room).drop_old(ended_s + decisions.KEPT_S - 60)
    with database.reading(engine) as connection:
        assert list(decisions.remembered(connection, "release")) == [rooms.NAME]
    upkeep(room).drop_old(ended_s + decisions.KEPT_S + 60)
    with database.reading(engine) as connection:
        assert decisions.remembered(connection, "release") == {}
    found = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()
    assert (found["release"]["state"], found["release"]["weight"]) == ("done", 1.0)
    assert "not kept any more" in found["release"]["problem"]


def kept(engine: Engine) -> int:
    return len(receipts.recent(engine, Filter(), limit=10))


def test_old_receipts_go_unless_the_file_that_says_for_how_long_cannot_be_read(
    room: Room, engine: Engine
) -> None:
    asyncio.run(room.plans.reload("api"))
    Ledger(engine).write(stores.entries(stores.receipt(stores.NOON_S)), [])
    good = room.plan_file.read_text()
    room.plan_file.write_text("routes: [")
    asyncio.run(room.plans.reload("api"))
    upkeep(room).drop_old(stores.NOON_S + 1000 * _DAY_S)
    assert kept(engine) == 1
    room.plan_file.write_text(good)
    asyncio.run(room.plans.reload("api"))
    upkeep(room).drop_old(stores.NOON_S + 1000 * _DAY_S)
    assert kept(engine) == 0


def test_judges_that_nobody_has_looked_at_for_a_year_go(room: Room, engine: Engine) -> None:
    with database.writing(engine) as connection:
        judges.keep(connection, calibrated())
        judge_scores.add(
            connection, [Score("j9", "week-1", "a", 0, True, True, 1.0, stores.NOON_S)]
        )
    for days, left in ((399, 1), (402, 1), (430, 0)):
        upkeep(room).drop_old(stores.NOON_S + days * _DAY_S)
        with database.reading(engine) as connection:
            assert len(judges.every(connection)) == left
            assert len(judge_scores.of(connection, "j9", "week-1")) == (days < 400)


def test_turns_that_nobody_looks_at_go(room: Room, engine: Engine) -> None:
    asyncio.run(room.plans.reload("api"))
    with database.writing(engine) as connection:
        captures.store(connection, [said.captured(conversation="c")], stores.NOON_S)
    upkeep(room).drop_old(stores.NOON_S + turns.KEPT_S + 1)
    with database.reading(engine) as connection:
        assert turns.due(connection, stores.NOON_S, most=1) == []
