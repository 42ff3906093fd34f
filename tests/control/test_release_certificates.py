"""Releases wait for certificates of what they would have asked at which models."""

import asyncio
from time import time

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.control import release_room as rooms
from tests.control.certificates_room import (
    MODEL,
    NEVER,
    PLAN,
    PROMPT,
    STEPS,
    begin,
    certify,
    furnish,
    waits,
    waits_of,
)
from tests.control.conftest import Room, error_code
from tests.control.prompted import write

from tidegate.control.moment import Moment
from tidegate.control.observe import Releases
from tidegate.control.release_certificates import of_nobody
from tidegate.controllers.release import View
from tidegate.core.layout import Layout
from tidegate.stores import audit, certificates, database


@pytest.fixture
def room(layout: Layout, engine: Engine) -> Room:
    return Room(layout, engine, layout.state.parent / "tidegate.yaml")


def test_a_release_of_an_uncertified_version_waits_and_goes_on_by_itself(room: Room) -> None:
    begin(room, PROMPT)
    assert rooms.kept(room).state == "gated"
    [wait] = waits(room)
    assert wait.startswith(f"gate certificate: support@v2 at m-1: {NEVER}; run `tidegate gate")
    assert "--candidate v2 --route chat`" in wait
    certify(room, "v1", "m-1")
    rooms.tick(room)
    assert rooms.kept(room).state == "gated"
    certify(room, "v2", "m-1")
    rooms.tick(room)
    assert rooms.kept(room).state == "step"


def test_another_model_under_a_prompt_needs_one_too(room: Room) -> None:
    begin(room, MODEL)
    [wait] = waits(room)
    assert wait.startswith(f"gate certificate: support@v1 at m-2: {NEVER}")
    assert "--candidate-route ROUTE --baseline v1 --baseline-route chat`" in wait
    certify(room, "v1", "m-2")
    rooms.tick(room)
    assert rooms.kept(room).state == "step"


def test_one_that_goes_while_it_is_under_way_holds_it_at_its_next_gate(room: Room) -> None:
    furnish(room, PROMPT)
    certify(room, "v2", "m-1")
    rooms.create(room)
    assert rooms.ask(room, "start").status_code == 200
    rooms.lead_to(room, "step")
    with database.writing(room.desk.engine) as connection:
        connection.execute(certificates.table.delete())
    rooms.lead_to(room, "analysing")
    for _ in range(5):
        rooms.good(room)
        rooms.tick(room)
    assert (rooms.kept(room).state, rooms.kept(room).step) == ("analysing", 0)
    assert NEVER in waits(room)[0]
    certify(room, "v2", "m-1")
    rooms.lead_to(room, "promoted")
    assert room.plans.current.routes["chat"].prompt.version == "v2"  # type: ignore[union-attr]


def test_a_rollback_waits_for_nothing(room: Room) -> None:
    furnish(room, PROMPT)
    certify(room, "v2", "m-1")
    rooms.create(room)
    rooms.ask(room, "start")
    rooms.lead_to(room, "step")
    with database.writing(room.desk.engine) as connection:
        connection.execute(certificates.table.delete())
    rooms.bad(room)
    rooms.tick(room)
    assert rooms.kept(room).state == "rolled_back"


def test_a_rollback_needs_no_file_of_what_it_goes_back_to(room: Room) -> None:
    """A version that nothing else points at is in the plan as long as it may be gone back to."""
    write(room.plan_file.parent, "v1", "v2", "v3", stable="v3")
    named = PLAN.replace("prompt: support", "prompt: {{name: support, version: v1}}")
    rooms.furnish(room, plan=named.format(certificates="required"))
    rooms.write(room, "next", PROMPT.replace("soak: 50ms", "soak: 1h") + STEPS)
    certify(room, "v2", "m-1")
    rooms.create(room)
    rooms.ask(room, "start")
    rooms.lead_to(room, "soak")
    (room.plan_file.parent / "repo/prompts/support/v1.jinja2").unlink()
    asyncio.run(rooms.asked_to_roll_back(room))
    assert rooms.kept(room).state == "rolled_back"
    route = room.plans.current.routes["chat"]
    assert route.prompt is not None and route.prompt.version == "v1"
    assert "v1" in room.plans.current.prompts["support"].versions


def test_two_side_by_side_are_certified_for_what_they_come_to_together(room: Room) -> None:
    """A model below one version and a version at another model, promoted at one tick."""
    furnish(room, "orthogonal: true\n" + PROMPT)
    rooms.write(room, "model", "orthogonal: true\n" + MODEL + STEPS)
    certify(room, "v2", "m-1")
    certify(room, "v1", "m-2")
    names = (rooms.NAME, "chat/model")
    for name in names:
        rooms.create(room, name)
        assert rooms.ask(room, "start", name).status_code == 200

    def go_on() -> set[tuple[str, int]]:
        for _ in range(6):
            for name in names:
                rooms.good(room, name=name)
            rooms.tick(room)
        return {(it.state, it.step) for it in (rooms.kept(room, name) for name in names)}

    assert go_on() == {("analysing", 0)}
    [wait] = {it for one in names for it in waits_of(room, one)}
    assert wait.startswith(f"gate certificate: support@v2 at m-2: {NEVER}")
    certify(room, "v2", "m-2")
    assert go_on() <= {("promoted", 1), ("soak", 1), ("done", 1)}


def test_before_any_plan_file_was_good_no_weight_rises(
    room: Room, engine: Engine, layout: Layout
) -> None:
    """A control that is started with a broken one does not know what it asks for."""
    furnish(room, PROMPT)
    certify(room, "v2", "m-1")
    rooms.create(room)
    rooms.ask(room, "start")
    rooms.lead_to(room, "analysing")
    room.plan_file.write_text("nonsense: [")
    other = Room(layout, engine, room.plan_file)
    other.plans.start(0)
    for _ in range(3):
        rooms.good(other)
        rooms.tick(other)
    assert (rooms.kept(other).state, rooms.kept(other).step) == ("analysing", 0)
    [wait] = waits(other)
    assert "put the file right" in wait
    rooms.bad(other)
    rooms.tick(other)
    assert rooms.kept(other).state == "rolled_back"


def test_who_goes_without_says_why_and_is_kept(room: Room, engine: Engine) -> None:
    begin(room, PROMPT + "labels: [p0]\n")
    assert rooms.kept(room).state == "gated", "a label is its author's own word"
    assert rooms.ask(room, "waive_certificate").status_code == 400
    assert rooms.ask(room, "waive_certificate", reason="v1 leaks").status_code == 200
    rooms.tick(room)
    assert rooms.kept(room).state == "step"
    notes = room.ask("GET", f"/api/releases/explain?id={rooms.NAME}").json()["notes"]
    assert any("taken it on themselves" in it for it in notes)
    with database.reading(engine) as connection:
        [kept] = [it for it in audit.recent(connection) if it.what == "release.waive_certificate"]
    assert (kept.subject, kept.detail) == (rooms.NAME, "v1 leaks")


def test_where_nobody_certifies_the_gate_is_closed(room: Room, engine: Engine) -> None:
    begin(room, PROMPT + "gates: [certificate]\n", "off")
    with database.reading(engine) as connection:
        [seen] = Releases(None).observe(connection, Moment(time(), 1.0), {})
    kept = rooms.kept(room)
    assert kept.state == "gated"
    assert isinstance(seen.view, View)
    [why] = seen.view.bounds.uncertified
    assert "this control signs no certificates" in why
    unnamed = replace(kept, rollout=replace(kept.rollout, gates=()))
    assert of_nobody([kept, unnamed]) == {kept.rollout.id: (why,)}
    assert of_nobody([unnamed]) == {}


def test_nobody_reports_the_gate(room: Room) -> None:
    begin(room, PROMPT + "gates: [certificate]\n")
    asked = rooms.ask(room, "gate_passed", gate="certificate")
    assert (asked.status_code, error_code(asked)) == (400, "invalid_request")
    assert "Nobody reports this gate" in asked.json()["error"]["message"]


@pytest.mark.parametrize(
    ("release", "plan_says", "state"),
    [
        (PROMPT, "off", "step"),
        (PROMPT + "gates: [certificate]\n", "off", "gated"),
        (PROMPT.replace("version: v2", "version: v1"), "required", "step"),
        (PROMPT.replace("version: v2", "version: v1") + "gates: [certificate]\n", "off", "gated"),
        (MODEL.replace("target: new", "targets: {old: 2}"), "required", "step"),
        (MODEL.replace("target: new", "parameters: {top_p: 0.5}"), "required", "step"),
    ],
    ids=["off", "named", "served already", "served and named", "same model", "parameters"],
)
def test_what_waits(room: Room, release: str, plan_says: str, state: str) -> None:
    begin(room, release, plan_says)
    assert rooms.kept(room).state == state


def test_it_is_told_when_it_is_created_and_with_what_certificates_are_not_about(room: Room) -> None:
    both = "{prompt: {name: support, version: v2}, parameters: {top_p: 0.5}, "
    both += "fallbacks: {unavailable: [new]}}"
    furnish(room, PROMPT.replace("{prompt: {name: support, version: v2}}", both))
    made = room.ask("POST", "/api/releases", {"id": rooms.NAME}).json()
    lacks, parameters, fallbacks = made["notes"]
    assert lacks.startswith("gate certificate: support@v2 at m-1")
    assert "no certificate is about them" in parameters
    assert "falls back to" in fallbacks
    tagged = PROMPT.replace("version: v2", "tag: canary")
    write(room.plan_file.parent, stable="v1", canary="v2")
    room.plans._reload("api")
    rooms.write(room, "tagged", tagged + STEPS)
    lacks, moves = room.ask("POST", "/api/releases", {"id": "chat/tagged"}).json()["notes"]
    assert lacks.startswith("gate certificate: support@v2 at m-1")
    assert "the tag canary points at, which moves freely" in moves


def test_a_route_without_a_prompt_has_nothing_to_certify(room: Room) -> None:
    furnish(room, MODEL + "gates: [certificate]\n", route="plain")
    refused = room.ask("POST", "/api/releases", {"id": "plain/next"})
    assert error_code(refused) == "plan_refused"
    assert "nothing to certify" in str(refused.json()["error"]["problems"])
    rooms.write(room, "next", MODEL + STEPS, "plain")
    rooms.create(room, "plain/next")
    rooms.ask(room, "start", "plain/next")
    rooms.tick(room)
    rooms.tick(room)
    assert rooms.kept(room, "plain/next").state == "step"
