"""What the plan has to take first, and what it does not take."""

import asyncio

import pytest
from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.control import plans
from tidegate.stores import database, revisions


def test_a_start_that_the_plan_refuses_has_not_happened_and_says_why(room: Room) -> None:
    rooms.furnish(room)
    rooms.create(room)
    room.plan_file.write_text(rooms.PLAN.replace("  new: ", "  newer: "))
    asyncio.run(room.plans.reload("api"))
    rooms.ask(room, "start")
    for _ in range(3):
        rooms.tick(room)
    kept = rooms.kept(room)
    assert kept.state == "gated"
    assert "new" in (kept.problem or "")
    assert rooms.revised(room) == []
    assert rooms.held(room) == {}
    rooms.tick(room)
    found = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()
    assert any("the plan does not take it" in one for one in found["release"]["waits_for"])


def test_a_promotion_keeps_what_the_file_said_of_its_members(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "done")
    with database.reading(room.desk.engine) as connection:
        promoted = next(one for one in revisions.every(connection) if one.kind == "promote")
    assert bytes(promoted.base["target"]) == b'"old"'
    assert bytes(promoted.members["target"]) == b'"new"'


def test_two_releases_on_one_route_do_not_both_start(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.write(room, "other")
    rooms.create(room, "chat/other")
    rooms.ask(room, "start", "chat/other")
    for _ in range(4):
        rooms.tick(room)
    assert rooms.held(room) == {"release_weight": 0.1}
    assert rooms.revised(room) == ["start"]
    others = room.ask("GET", "/api/releases").json()["releases"]
    assert {one["id"]: one["state"] for one in others}["chat/other"] == "gated"


def test_a_promotion_whose_plan_was_not_published_waits_for_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    rooms.begun(room)
    while rooms.kept(room).step == 0:
        rooms.good(room)
        rooms.tick(room)
    with monkeypatch.context() as broken:
        broken.setattr(plans, "write_whole", full)
        with pytest.raises(OSError, match="no space"):
            rooms.lead_to(room, "promoted")
        assert rooms.kept(room).state == "promoted"
        room.loop._forget()  # as it does where a tick has failed
        for _ in range(3):
            with pytest.raises(OSError, match="no space"):
                rooms.tick(room)
        assert rooms.kept(room).state == "promoted"
        assert rooms.held(room) == {"release_weight": 1.0}
    rooms.tick(room)
    assert room.plans.current.routes["chat"].release.target.name == "new"
    rooms.tick(room)
    assert rooms.kept(room).state == "soak"
