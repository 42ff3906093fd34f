"""Prompts in control: news are published, problems and uncertified pairs told once."""

import asyncio
import logging
from time import time

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.prompted import PLAN, begin, stable, write
from tests.core.test_certificate import PLAIN
from tests.stores import rig

from tidegate.control.prompting import Prompting, problems, render
from tidegate.core.certificate import Fingerprint
from tidegate.core.layout import Layout
from tidegate.stores import certificates, database, notices
from tidegate.stores.ledger import Ledger

NOW_S = 1_790_000_000.0


@pytest.fixture
def room(layout: Layout, engine: Engine) -> Room:
    return Room(layout, engine, layout.state.parent / "tidegate.yaml")


def looked(room: Room, engine: Engine) -> Prompting:
    """One look at the repository, as it happens now and then."""
    found = Prompting(engine, room.plans, room.compiling, room.certifying, lambda: True)
    declared = room.plans.declared.prompts
    assert declared is not None
    asyncio.run(found._look(declared))
    return found


def test_news_are_published(room: Room, engine: Engine) -> None:
    begin(room, "off")
    version = room.plans.current.version
    looked(room, engine)
    assert room.plans.current.version == version, "nothing is new"
    write(room.plan_file.parent, "v3", stable="v3")
    looked(room, engine)
    assert stable(room) == "v3"
    assert room.plans.current.version == version + 1


def test_news_that_somebody_else_has_read_are_published_too(room: Room, engine: Engine) -> None:
    begin(room, "off")
    write(room.plan_file.parent, "v3", stable="v3")
    declared = room.plans.declared.prompts
    assert declared is not None
    room.reading.at(declared)
    looked(room, engine)
    assert stable(room) == "v3"


def test_a_version_moves_when_it_is_certified(room: Room, engine: Engine) -> None:
    begin(room)
    write(room.plan_file.parent, "v3", stable="v3")
    looked(room, engine)
    assert stable(room) == "v1"
    digest = room.reading.snapshot.version("support", "v3").digest  # type: ignore[union-attr]
    paper = replace(PLAIN, digest=digest, expires_at_s=time() + 60)
    with database.writing(engine) as connection:
        certificates.add(connection, room.certifying.sign(paper))
    looked(room, engine)
    assert stable(room) == "v3"


def test_what_is_broken_serves_on_as_it_was_and_is_told_once(
    room: Room, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    begin(room, "off")
    write(room.plan_file.parent, "v3", text="{% if %}", stable="v3")
    with caplog.at_level(logging.WARNING):
        found = looked(room, engine)
        asyncio.run(found._look(room.plans.declared.prompts))  # type: ignore[arg-type]
    assert stable(room) == "v1"
    told = [it for it in caplog.messages if "v3.jinja2" in it]
    assert len(told) == 1
    assert b"tidegate_prompt_problems 1" in render(room.reading)


def test_a_repository_that_is_away_changes_nothing(room: Room, engine: Engine) -> None:
    begin(room, "off")
    folder = room.plan_file.parent / "repo"
    folder.rename(folder.with_name("away"))
    looked(room, engine)
    assert stable(room) == "v1"
    assert "no such folder" in problems(room.reading)[0]
    folder.with_name("away").rename(folder)
    looked(room, engine)
    assert problems(room.reading) == ()


def test_an_uncertified_pair_is_told_until_it_is_none(room: Room, engine: Engine) -> None:
    begin(room)
    watching = Prompting(engine, room.plans, room.compiling, room.certifying, lambda: True)

    def told() -> list[tuple[str, bool]]:
        with database.reading(engine) as connection:
            found = notices.recent(connection)
        return [(it.title, it.resolved_at_s is None) for it in found]

    for _ in range(2):
        watching.look_at_pairs(NOW_S)
    assert told() == [("uncertified_pair: the prompt support at m-1", True)]
    room.plan_file.write_text(PLAN.format(certificates="required", model="m-2"))
    room.plans._reload("api")
    watching.look_at_pairs(NOW_S + 60)
    assert sorted(told()) == [
        ("uncertified_pair: the prompt support at m-1", False),
        ("uncertified_pair: the prompt support at m-2", True),
    ]


@pytest.mark.parametrize("mode", ["void", "tell", "off"])
def test_another_build_is_told_and_voids_as_the_plan_says(
    room: Room, engine: Engine, mode: str
) -> None:
    begin(room, f"required, fingerprints: {mode!r}")
    prompt = room.plans.current.prompts["support"].at("stable")
    assert prompt is not None
    paper = replace(
        PLAIN,
        version="v1",
        digest=prompt.digest,
        issued_at_s=time() - 60,
        expires_at_s=time() + 600,
        fingerprints=(Fingerprint("up", "fp_a"),),
    )
    asked = {"prompt": "support", "prompt_version": "v1", "model_wanted": "m-1", "provider": "up"}
    served = [
        rig.receipt(**asked, model_fingerprint=it, started_at_s=time() - 9)
        for it in ("fp_a", "fp_b")
    ]
    Ledger(engine).write(rig.entries(*served), [])
    with database.writing(engine) as connection:
        certificates.add(connection, room.certifying.sign(paper))
    watching = Prompting(engine, room.plans, room.compiling, room.certifying, lambda: True)
    watching.look_at_pairs(time())
    with database.reading(engine) as connection:
        told = [it.text for it in notices.recent(connection) if it.resolved_at_s is None]
    assert ["up answers with the fingerprint fp_b" in it for it in told] == (
        [] if mode == "off" else [True]
    )
    assert len(room.certifying.now().missing(prompt, ["m-1"])) == (mode == "void")


def test_a_commit_that_is_taken_back_goes_back_at_once_and_not_forward_again(
    room: Room, engine: Engine
) -> None:
    """The first version has no certificate, and where it was is never gated."""
    begin(room)
    for version in ("v2", "v1"):
        body = {"version": version, "reason": "so", "uncertified": version == "v2"}
        moved = room.ask("POST", "/api/prompts/support/tags/stable", body)
        assert moved.status_code == 200, moved.text
        assert stable(room) == version
    again = room.ask("POST", "/api/prompts/support/tags/stable", {"version": "v2", "reason": "so"})
    assert again.status_code == 409, again.text
    write(room.plan_file.parent, "v3", stable="v3")
    looked(room, engine)
    assert stable(room) == "v1"
    room.ask("POST", "/api/prompts/support/tags/stable",
             {"version": "v3", "reason": "so", "uncertified": True})  # fmt: skip
    assert stable(room) == "v3"
    write(room.plan_file.parent, stable="v1")
    looked(room, engine)
    assert stable(room) == "v1"


NAMED = PLAN.replace("prompt: support", "prompt: {{name: support, version: v2}}")


def test_a_stable_that_went_and_came_back_elsewhere_stays_where_it_was(
    room: Room, engine: Engine
) -> None:
    """Nobody is asked by it, so the commit that takes it away is obeyed."""
    begin(room)
    room.plan_file.write_text(NAMED.format(certificates="required", model="m-1"))
    room.plans._reload("api")
    write(room.plan_file.parent, canary="v1")
    looked(room, engine)
    assert "stable" not in room.plans.current.prompts["support"].tags
    write(room.plan_file.parent, "v3", stable="v3")
    looked(room, engine)
    assert stable(room) == "v1"
    assert any("support@v3 at any model" in it for it in room.certifying.problems)


def test_a_version_that_a_route_names_never_changes_and_who_edits_it_is_told(
    room: Room, engine: Engine
) -> None:
    begin(room, "off")
    room.plan_file.write_text(NAMED.format(certificates="off", model="m-1"))
    room.plans._reload("api")
    looked(room, engine)
    served = room.plans.current
    write(room.plan_file.parent, "v2", text="another", stable="v1")
    looked(room, engine)
    assert room.plans.current is served
    [problem] = room.certifying.problems
    assert "v2" in problem and "serves on as it was" in problem
    write(room.plan_file.parent, "v2", stable="v1")
    looked(room, engine)
    assert room.certifying.problems == ()


def test_what_was_served_by_a_name_says_nothing_else_when_it_comes_back(
    room: Room, engine: Engine
) -> None:
    begin(room, "off")
    plans = {it: it.format(certificates="off", model="m-1") for it in (PLAN, NAMED)}
    for plan in (NAMED, PLAN):
        room.plan_file.write_text(plans[plan])
        room.plans._reload("api")
        looked(room, engine)
    write(room.plan_file.parent, "v2", text="another", stable="v1")
    room.plan_file.write_text(plans[NAMED])
    assert room.plans._reload("api").outcome == "refused"
    assert "says something else now" in room.plans.problems[0]


def test_what_a_route_falls_back_to_is_told(room: Room, engine: Engine) -> None:
    begin(room)
    named = PLAN.replace(
        "price: free}}\n", "price: free}}\n    fallbacks: {{unavailable: [up/m-9]}}\n"
    )
    room.plan_file.write_text(named.format(certificates="required", model="m-1"))
    assert room.plans._reload("api").outcome == "published", room.plans.problems
    watching = Prompting(engine, room.plans, room.compiling, room.certifying, lambda: True)
    watching.look_at_pairs(NOW_S)
    with database.reading(engine) as connection:
        found = {it.title: it.text for it in notices.recent(connection)}
    assert "falls back to it" in found["uncertified_pair: the prompt support at m-9"]
    assert "falls back" not in found["uncertified_pair: the prompt support at m-1"]


def test_without_prompts_there_are_no_series(room: Room) -> None:
    assert render(room.reading) == b""
