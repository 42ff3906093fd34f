"""Releases wait for certificates of what they would have asked at which models."""

import asyncio
from itertools import combinations, product
from pathlib import Path
from time import time
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace
from sqlalchemy import Engine, event
from tests.control import release_room as rooms
from tests.control.certifieds import plan as plan_at
from tests.control.certifieds import prompt
from tests.control.conftest import Room, error_code
from tests.control.prompted import write
from tests.controllers.release_rig import rollout
from tests.core.test_certificate import NOW_S, PLAIN, SECRET
from tests.gateway.rig import target
from tests.stores import rig as stores

from tidegate.control.certifying import Certifying
from tidegate.control.moment import Moment
from tidegate.control.observe import Releases
from tidegate.control.release_certificates import ReleaseCertificates, certificates_of, of_nobody
from tidegate.controllers.release import View
from tidegate.core.certificate import Fingerprint
from tidegate.core.declared import Declared
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan, Release, Share
from tidegate.prompts.reading import Reading
from tidegate.stores import audit, certificates, database
from tidegate.stores.ledger import Ledger
from tidegate.stores.rollouts import Kept

PLAN = """\
prompts: {{repository: repo, certificates: {certificates}}}
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  old: {{provider: up, model: m-1, price: free}}
  new: {{provider: up, model: m-2, price: free}}
routes:
  chat: {{target: old, prompt: support}}
  plain: old
"""
PROMPT = "owner: ada\nchange: {prompt: {name: support, version: v2}}\nsoak: 50ms\n"
MODEL = PROMPT.replace("{prompt: {name: support, version: v2}}", "{target: new}")
STEPS = """\
harm: {error: {margin: 0.05}}
steps:
  - {weight: 10%, min_units: 20, min: 1ms, max: 10m, smoke: true}
  - {weight: 100%, min_units: 20, min: 1ms, max: 10m}
"""
NEVER = "no gate was passed"


@pytest.fixture
def room(layout: Layout, engine: Engine) -> Room:
    return Room(layout, engine, layout.state.parent / "tidegate.yaml")


def furnish(room: Room, release: str, certificates: str = "required", route: str = "chat") -> None:
    write(room.plan_file.parent, "v1", "v2", stable="v1")
    rooms.furnish(room, plan=PLAN.format(certificates=certificates))
    rooms.write(room, "next", release + STEPS, route)


def begin(room: Room, release: str, certificates: str = "required") -> None:
    """Created and started, after two ticks."""
    furnish(room, release, certificates)
    rooms.create(room)
    assert rooms.ask(room, "start").status_code == 200
    rooms.tick(room)
    rooms.tick(room)


def certify(room: Room, version: str, model: str, *, for_s: float = 60.0, **said: Any) -> None:
    """A certificate as a gate gets it."""
    declared = room.plans.declared.prompts
    assert declared is not None
    digest = room.reading.at(declared).version("support", version).digest
    paper = replace(
        PLAIN,
        id=f"{time()}-{version}-{model}",
        version=version,
        digest=digest,
        model=model,
        issued_at_s=time(),
        expires_at_s=time() + for_s,
        **said,
    )
    with database.writing(room.desk.engine) as connection:
        certificates.add(connection, room.certifying.sign(paper))


def waits(room: Room) -> list[str]:
    return waits_of(room, rooms.NAME)


def waits_of(room: Room, name: str) -> list[str]:
    listed = room.ask("GET", "/api/releases").json()["releases"]
    [found] = [it["waits_for"] for it in listed if it["id"] == name]
    return list(found)


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


def test_a_version_that_cannot_be_read_certifies_nothing(room: Room) -> None:
    begin(room, PROMPT)
    file = Path(room.plan_file.parent) / "repo/prompts/support/v2.jinja2"
    file.write_text("{% if %}")
    room.reading.at(room.plans.declared.prompts)  # type: ignore[arg-type]
    rooms.tick(room)
    assert "support@v2 cannot be read" in waits(room)[0]


def lacking(room: Room, at_s: float) -> str:
    """What the release waits for then, without the command."""
    asked = certificates_of(room.plans, room.compiling)
    assert asked is not None
    with database.reading(room.desk.engine) as connection:
        found = asked.missing(connection, [rooms.kept(room)], at_s)
    return " ".join(it.partition(";")[0] for it in found.get(rooms.NAME, ()))


def test_one_that_ends_or_whose_provider_has_moved_on_is_none_any_more(
    room: Room, engine: Engine
) -> None:
    furnish(room, PROMPT)
    rooms.create(room)
    certify(room, "v2", "m-1", for_s=60.0, snapshot="m-1-2026")
    now_s = time()
    assert lacking(room, now_s) == ""
    assert "its certificate has expired" in lacking(room, now_s + 61)
    served = {"prompt": "support", "prompt_version": "v2", "model_wanted": "m-1"}
    receipt = stores.receipt(model_served="m-1-2027", started_at_s=now_s + 1, **served)
    Ledger(engine).write(stores.entries(receipt), [])
    assert lacking(room, now_s + 90) == "support@v2 at m-1: its certificate has expired"
    assert "answers as m-1-2027 now" in lacking(room, now_s + 2)


@pytest.mark.parametrize(("mode", "waits"), [("void", True), ("tell", False)])
def test_it_waits_where_another_build_answers_now_if_the_plan_says_so(
    room: Room, engine: Engine, mode: str, waits: bool
) -> None:
    furnish(room, PROMPT, f"required, fingerprints: {mode}")
    rooms.create(room)
    certify(room, "v2", "m-1", for_s=600.0, fingerprints=(Fingerprint("up", "fp_a"),))
    now_s = time()
    served = {"prompt": "support", "prompt_version": "v2", "model_wanted": "m-1", "provider": "up"}
    receipt = stores.receipt(model_fingerprint="fp_b", started_at_s=now_s + 1, **served)
    Ledger(engine).write(stores.entries(receipt), [])
    assert ("the fingerprint fp_b now" in lacking(room, now_s + 90)) is waits


def asked_at(models: tuple[str, ...], **wanted: Any) -> Plan:
    """A plan whose route asks these models by a version."""
    found = plan_at(**wanted)
    first, *others = (target(1, it, model=it) for it in models)
    release = Release("small@1", first, 1.0, tuple(Share(it) for it in others))
    return replace(found, routes={"small": replace(found.routes["small"], release=release)})


VERSIONS, MODELS = ("v3", "v7"), ("m-1", "m-2", "m-3")


def some(of: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [it for n in range(1, len(of) + 1) for it in combinations(of, n)]


def test_every_new_pair_is_waited_for_and_of_a_named_gate_every_pair(engine: Engine) -> None:
    """Of each version and models that a route may have, and a release may want of it."""
    papers = {("v3", "m-1"), ("v7", "m-2")}
    certifying = Certifying(engine, (SECRET,), lambda: None)
    with database.writing(engine) as connection:
        for version, model in papers:
            paper = replace(PLAIN, digest=prompt(version).digest, model=model, id=version + model)
            certificates.add(connection, certifying.sign(paper))
    declared = Declared({}, routes={"small": DeclaredRoute()}, prompts=DeclaredPrompts("repo"))
    asked = 0
    for version, own, wanted, models, gates in product(
        VERSIONS, some(MODELS[:2]), VERSIONS, some(MODELS), ((), ("certificate",))
    ):
        plan = asked_at(own, version=version)
        members = {
            "prompt": {"name": "support", "version": wanted},
            "target": None,
            "targets": {f"up/{it}": 1 for it in models},
        }
        raw = {name: Raw(msgspec.json.encode(it)) for name, it in members.items()}
        one = rollout(id="small/next", route="small", digest=str(asked), members=raw, gates=gates)
        kept = Kept(one, "ada", 0.0, "gated", 0, "", 0.0)
        needs = ReleaseCertificates(certifying, Reading(), lambda p=plan: p, lambda: declared)  # type: ignore[misc]
        with database.reading(engine) as connection:
            found = needs.missing(connection, [kept], NOW_S).get(one.id, ())
        pairs = set(product((wanted,), models))
        served = set() if gates else set(product((version,), own))
        waits_for = {tuple(it.partition(":")[0].split("@")[1].split(" at ")) for it in found}
        assert waits_for == pairs - served - papers, (version, own, wanted, models, gates)
        asked += 1
    assert asked == 2 * 3 * 2 * 7 * 2


def test_of_what_callers_may_ask_for_instead_new_models_are_waited_for_alone(
    engine: Engine,
) -> None:
    plan = asked_at(("m-1",), served="v3", version="v7", allowed=("stable",))
    members = {"target": None, "targets": {"up/m-1": 1, "up/m-2": 1}}
    raw = {name: Raw(msgspec.json.encode(it)) for name, it in members.items()}
    one = rollout(id="small/next", route="small", members=raw)
    declared = Declared({}, routes={"small": DeclaredRoute()}, prompts=DeclaredPrompts("repo"))
    certifying = Certifying(engine, (SECRET,), lambda: None)
    needs = ReleaseCertificates(certifying, Reading(), lambda: plan, lambda: declared)
    with database.reading(engine) as connection:
        kept = Kept(one, "ada", 0.0, "gated", 0, "", 0.0)
        found = needs.missing(connection, [kept], NOW_S)[one.id]
    assert [it.partition(":")[0] for it in found] == ["support@v7 at m-2", "support@v3 at m-2"]


def test_one_that_goes_while_copies_are_asked_keeps_it_from_its_first_step(room: Room) -> None:
    furnish(room, PROMPT + "shadow: {share: 100%, min_requests: 1, usd: 1}\n")
    certify(room, "v2", "m-1")
    rooms.create(room)
    rooms.ask(room, "start")
    rooms.tick(room)
    rooms.tick(room)
    assert rooms.kept(room).state == "shadow"
    with database.writing(room.desk.engine) as connection:
        connection.execute(certificates.table.delete())
    rooms.ask(room, "skip_analysis", reason="so")
    rooms.tick(room)
    assert rooms.kept(room).state == "shadow"
    assert NEVER in waits(room)[0]


@pytest.mark.parametrize("is_started", [True, False])
def test_while_nothing_waits_the_store_is_not_asked(
    room: Room, engine: Engine, *, is_started: bool
) -> None:
    if is_started:
        begin(room, MODEL.replace("target: new", "parameters: {top_p: 0.5}"))
    else:
        furnish(room, PROMPT)
        rooms.create(room)
    said: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    rooms.tick(room)
    assert said and not any("certificates" in it for it in said)
