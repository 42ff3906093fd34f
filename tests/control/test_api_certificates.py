"""Certificates over the control API: for what the repository has and the ledger bears out."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.prompted import begin, stable, write
from tests.stores import rig

from tidegate.core.layout import Layout
from tidegate.stores.ledger import Ledger


@pytest.fixture
def room(layout: Layout, engine: Engine) -> Room:
    return Room(layout, engine, layout.state.parent / "tidegate.yaml")


def answered(engine: Engine, count: int = 5, version: str = "v2", **given: object) -> None:
    """Different questions that a version was asked."""
    asked = {"session_id": "run-1", "purpose": "eval", "model_wanted": "m-1", "prompt": "support"}
    asked |= {"prompt_version": version}
    said = ({**asked, "asked_digest": f"{version}-{n}", **given} for n in range(count))
    Ledger(engine).write(rig.entries(*(rig.receipt(**it) for it in said)), [])


def asked(room: Room, version: str = "v2", **given: object) -> dict[str, object]:
    declared = room.plans.declared.prompts
    assert declared is not None
    digest = room.reading.at(declared).version("support", version).digest
    body: dict[str, object] = {
        "prompt": "support",
        "version": version,
        "digest": digest,
        "model": "m-1",
        "suite": "support",
        "suite_digest": "e" * 64,
        "cases": 5,
        "findings": [{"check": "quality", "verdict": "pass", "why": "not worse"}],
        "run": "run-1",
        "for_s": 86_400.0,
        "reason": "a test",
    }
    return {**body, **given}


def test_a_certificate_lets_stable_move_there_and_no_further(room: Room, engine: Engine) -> None:
    begin(room)
    answered(engine)
    made = room.ask("POST", "/api/certificates", asked(room))
    assert made.status_code == 201, made.text
    assert room.loop._woken.is_set(), "a release may wait for it"
    assert [it["id"] for it in room.ask("GET", "/api/certificates").json()["certificates"]] == [
        made.json()["id"]
    ]
    write(room.plan_file.parent, "v3", stable="v3")
    room.plans._reload("api")
    assert stable(room) == "v1"
    assert any(
        "uncertified_pair: support@v3" in it
        for it in room.ask("GET", "/api/prompts").json()["problems"]
    )
    write(room.plan_file.parent, stable="v2")
    room.plans._reload("api")
    assert stable(room) == "v2"


def test_what_the_ledger_does_not_bear_out_is_not_certified(room: Room, engine: Engine) -> None:
    begin(room)
    answered(engine, 3)
    answered(engine, 9, asked_digest="the same again")
    answered(engine, 9, "v1")
    refused = room.ask("POST", "/api/certificates", asked(room))
    assert refused.status_code == 400
    assert "knows 4 different questions" in refused.json()["error"]["message"]


def test_it_keeps_the_builds_that_answered_in_its_run(room: Room, engine: Engine) -> None:
    begin(room)
    answered(engine, 3, provider="up", model_fingerprint="fp_b")
    answered(engine, provider="up", model_fingerprint="fp_a")
    answered(engine, 1, session_id="run-2", provider="up", model_fingerprint="fp_c")
    made = room.ask("POST", "/api/certificates", asked(room)).json()
    told = [{"provider": "up", "fingerprint": it} for it in ("fp_a", "fp_b")]
    assert made["fingerprints"] == told
    [kept] = room.ask("GET", "/api/certificates").json()["certificates"]
    assert kept["fingerprints"] == told


def test_what_it_was_compared_with_has_answered_too(room: Room, engine: Engine) -> None:
    begin(room)
    answered(engine)
    answered(engine, 4, "v1")
    body = asked(room, baseline="support@v1 at chat")
    refused = room.ask("POST", "/api/certificates", body)
    assert "knows 4 answers" in refused.json()["error"]["message"]
    answered(engine, 1, "v1")
    assert room.ask("POST", "/api/certificates", body).status_code == 201


def test_a_version_that_says_something_else_is_not_certified(room: Room, engine: Engine) -> None:
    begin(room)
    answered(engine)
    for given in (
        {"digest": "f" * 64},
        {"version": "v1"},
        {"version": "v9"},
        {"findings": [{}]},
        {"findings": []},
    ):
        body = {**asked(room), **given}
        assert room.ask("POST", "/api/certificates", body).status_code == 400, given
    assert room.ask("GET", "/api/certificates").json()["certificates"] == []


def test_a_run_bears_out_the_version_that_it_tried_and_no_other(room: Room, engine: Engine) -> None:
    begin(room)
    answered(engine)
    answered(engine, version="v3")
    write(room.plan_file.parent, "v3", stable="v1")
    for version, status in (("v2", 201), ("v2", 201), ("v3", 400)):
        made = room.ask("POST", "/api/certificates", asked(room, version))
        assert made.status_code == status, made.text
    assert "support@v2" in made.json()["error"]["message"]
