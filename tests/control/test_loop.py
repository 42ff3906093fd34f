"""The loop over a real store: what it decides is done once, by one leader, and goes on after it."""

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control import api_releases
from tidegate.control.plans import NoPlan
from tidegate.core.declared import Declared
from tidegate.stores import assessments, database, decisions, leadership
from tidegate.stores.errors import StoreError
from tidegate.stores.leadership import Fenced


def test_a_release_goes_from_its_file_to_its_end(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    assert rooms.held(room) == {"release_weight": 0.1}
    candidate = room.plans.current.routes["chat"].candidate
    assert candidate is not None and candidate.rollout == rooms.NAME
    rooms.lead_to(room, "done")
    assert rooms.revised(room) == ["start", "promote", "retire"]
    route = room.plans.current.routes["chat"]
    assert route.release.target.name == "new"
    assert route.candidate is None
    assert rooms.held(room) == {}


def test_a_rollback_lets_go_in_the_same_transaction_and_the_plan_follows(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.bad(room)
    rooms.tick(room)
    assert rooms.kept(room).state == "rolled_back"
    assert rooms.held(room) == {}
    assert rooms.revised(room) == ["start", "withdraw"]
    assert room.plans.current.routes["chat"].candidate is None


def test_a_rollback_needs_no_plan_that_compiles(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.bad(room)

    def broken(_change: object) -> object:
        raise NoPlan(["nothing compiles"])

    monkeypatch.setattr(room.compiling, "changing", broken)
    rooms.tick(room)
    assert rooms.kept(room).state == "rolled_back"
    assert rooms.held(room) == {}


def test_what_was_promoted_and_cannot_be_taken_out_of_the_plan_is_said(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.begun(room, rooms.RELEASE.replace("soak: 50ms", "soak: 1h"))
    rooms.lead_to(room, "soak")
    monkeypatch.setattr(api_releases, "UNDONE_TIMEOUT_S", 0.0)
    rooms.ask(room, "rollback", reason="it is rude")
    declared, room.plans.declared = room.plans.declared, Declared()  # as after a start without one
    rooms.tick(room)
    assert rooms.kept(room).state == "rolled_back"
    assert "put the plan file right" in str(rooms.kept(room).problem)
    room.plans.declared = declared
    asyncio.run(room.plans.amend(room.compiling.changing(lambda _: None)))
    assert room.plans.current.routes["chat"].release.target.name == "old"


def test_a_dry_run_shows_what_it_would_do_and_touches_nothing(room: Room, engine: Engine) -> None:
    rooms.furnish(room)
    rooms.create(room)
    rooms.ask(room, "start")
    decided = rooms.tick(room, dry_run=True)
    assert len(decided) == 1
    assert rooms.kept(room).state == "created"
    with database.reading(engine) as connection:
        assert decisions.recent(connection) == []
        assert leadership.present(connection).epoch == 0


def test_a_tick_in_which_nothing_is_new_is_not_kept(room: Room, engine: Engine) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.tick(room)
    with database.reading(engine) as connection:
        before = decisions.recent(connection)
    for _ in range(3):
        rooms.tick(room)
    with database.reading(engine) as connection:
        assert decisions.recent(connection) == before
    assert rooms.held(room) == {"release_weight": 0.1}


def test_a_frozen_route_holds_and_says_so(room: Room) -> None:
    rooms.begun(room, rooms.RELEASE + "approvals: {start: 1}\n")
    asked = {"lever": "frozen", "scope": "chat", "value": 1, "for_s": 600, "reason": "fair"}
    assert room.ask("POST", "/api/changes", asked).status_code == 201
    rooms.tick(room)
    rooms.tick(room)
    found = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()
    assert "the route is frozen" in found["release"]["waits_for"]


def test_a_dial_that_somebody_else_holds_is_said_and_nothing_is_promoted(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.tick(room)
    mine = room.ask("GET", "/api/changes").json()["changes"]
    weight = next(one for one in mine if one["lever"] == "release_weight")
    room.ask("POST", f"/api/changes/{weight['id']}/end")
    held = {"lever": "release_weight", "scope": "chat", "value": 0, "for_s": 600, "reason": "no"}
    assert room.ask("POST", "/api/changes", held).status_code == 201
    rooms.tick(room)
    assert "held by" in (rooms.kept(room).problem or "")
    for _ in range(6):
        rooms.good(room)
        rooms.tick(room)
    assert rooms.kept(room).state in ("step", "analysing")


JUDGED = rooms.RELEASE.replace("harm: {", "harm: {quality: {margin: 0.3}, ")


def test_what_is_found_of_answers_afterwards_rolls_back_or_lets_through(room: Room) -> None:
    rooms.begun(room, JUDGED)
    rooms.lead_to(room, "step")
    rooms.good(room)
    rooms.assessed(room, 50)
    rooms.tick(room)
    assert rooms.kept(room).state == "rolled_back"
    assert rooms.kept(room).why.startswith("quality is worse")
    found = room.ask("GET", "/api/loop/replay?limit=500").json()["decisions"]
    assert {one["same"] for one in found} == {True}


def test_one_that_names_quality_waits_until_enough_answers_are_judged(room: Room) -> None:
    rooms.begun(room, JUDGED)
    for _ in range(10):
        rooms.good(room)
        rooms.tick(room)
    assert rooms.kept(room).state == "analysing"
    rooms.assessed(room, 6)
    rooms.lead_to(room, "done")


def test_what_cannot_be_counted_costs_no_tick_but_the_leadership(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms.begun(room)
    counted: list[int] = []
    failures = [StoreError("full"), ValueError("mistake"), Fenced("another leads")]

    def count(epoch: int) -> None:
        counted.append(epoch)
        raise failures[len(counted) - 1]

    monkeypatch.setattr(room.loop, "outside", replace(room.loop.outside, count=count))
    for _ in range(2):
        rooms.good(room)
        rooms.tick(room)
    assert rooms.kept(room).state == "analysing"
    with pytest.raises(Fenced):
        rooms.tick(room)
    rooms.tick(room, dry_run=True)
    assert counted == [1, 1, 1]


def test_a_route_whose_answers_are_not_graded_pauses_its_release(room: Room) -> None:
    def note(why: str | None) -> None:
        with database.writing(room.desk.engine) as connection:
            assessments.note_ungraded(connection, "chat", why, 1_800_000_000.0)

    rooms.begun(room, JUDGED)
    rooms.lead_to(room, "step")
    note("the judge is away")
    rooms.tick(room)
    words = "its answers are not graded since 2027-01-15T08:00+00:00: the judge is away"
    assert (rooms.kept(room).state, rooms.kept(room).why) == ("paused", words)
    assert rooms.held(room) == {"release_weight": 0.1}
    note(None)
    rooms.tick(room)
    assert rooms.kept(room).state == "step"
    found = room.ask("GET", "/api/loop/replay?limit=500").json()["decisions"]
    assert {one["same"] for one in found} == {True}
