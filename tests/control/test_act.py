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


def test_an_edit_of_what_a_release_changes_leaves_it_nobody(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    third = "  third: {provider: mine, model: third, price: free}\nroutes:\n  chat: third\n"
    room.plan_file.write_text(rooms.PLAN.replace("routes:\n  chat: old\n", third))
    assert asyncio.run(room.plans.reload("api")).outcome == "published"
    assert room.plans.candidates() == {}
    for _ in range(10):
        rooms.good(room)
        rooms.tick(room)
    assert (rooms.kept(room).state, rooms.kept(room).step) == ("analysing", 0)
    found = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()
    assert any("the plan file was edited" in one for one in found["release"]["waits_for"])
    asyncio.run(rooms.asked_to_roll_back(room))
    assert rooms.kept(room).state == "rolled_back"


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


ORTHOGONAL = rooms.RELEASE + "orthogonal: true\n"
BRIEF = ORTHOGONAL.replace("{target: new}", "{system_prompt: Be brief.}")
OTHER = "chat/brief"


def two_begun(room: Room) -> None:
    """Two orthogonal releases, each at its first step."""
    rooms.begun(room, ORTHOGONAL)
    rooms.tick(room)
    rooms.write(room, "brief", BRIEF)
    rooms.create(room, OTHER)
    rooms.ask(room, "start", OTHER)
    for _ in range(2):
        rooms.tick(room)
    assert rooms.dials(room) == {"chat@next": 0.1, "chat@brief": 0.1}
    found = room.ask("GET", f"/api/releases/explain?id={OTHER}").json()
    assert "chat/next is step on the same route" in found["notes"]


def test_of_two_orthogonal_releases_one_is_rolled_back_and_the_other_goes_on(room: Room) -> None:
    two_begun(room)
    before = room.plans.current.routes["chat"].candidates
    rooms.bad(room, OTHER)
    rooms.good(room)
    rooms.tick(room)
    assert rooms.kept(room, OTHER).state == "rolled_back"
    assert rooms.kept(room).state in ("step", "analysing")
    assert rooms.dials(room) == {"chat@next": 0.1}
    [left] = room.plans.current.routes["chat"].candidates
    assert (left.rollout, left.lane, left.salt) == (rooms.NAME, before[0].lane, before[0].salt)
    rooms.lead_to(room, "done")
    assert rooms.revised(room) == ["start", "start", "withdraw", "promote", "retire"]


def test_of_two_orthogonal_releases_one_is_promoted_while_the_other_is_under_way(
    room: Room,
) -> None:
    two_begun(room)
    before = room.plans.current.routes["chat"].candidates
    rooms.lead_to(room, "done")
    assert rooms.kept(room, OTHER).state in ("step", "analysing")
    assert rooms.dials(room) == {"chat@brief": 0.1}
    route = room.plans.current.routes["chat"]
    assert (route.release.target.name, route.system_prompt) == ("new", None)
    [left] = route.candidates
    assert (left.rollout, left.lane, left.salt) == (OTHER, before[1].lane, before[1].salt)
    assert (left.route.release.target.name, left.route.system_prompt) == ("new", "Be brief.")
    for _ in range(40):
        if rooms.kept(room, OTHER).state == "done":
            break
        rooms.good(room, name=OTHER)
        rooms.tick(room)
    route = room.plans.current.routes["chat"]
    assert (route.release.target.name, route.system_prompt) == ("new", "Be brief.")
    assert route.candidates == ()


def test_a_release_beside_one_that_did_not_say_so_waits_and_is_told_why(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.write(room, "brief", BRIEF)
    rooms.create(room, OTHER)
    rooms.ask(room, "start", OTHER)
    for _ in range(3):
        rooms.tick(room)
    assert rooms.kept(room, OTHER).state == "gated"
    assert "orthogonal" in (rooms.kept(room, OTHER).problem or "")
    assert rooms.held(room) == {"release_weight": 0.1}
