"""Which pairs of version and model a release is waited for, and when one is none any more."""

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
from tests.control.certificates_room import MODEL, NEVER, PROMPT, begin, certify, furnish, waits
from tests.control.certifieds import plan as plan_at
from tests.control.certifieds import prompt
from tests.control.conftest import Room
from tests.controllers.release_rig import rollout
from tests.core.test_certificate import NOW_S, PLAIN, SECRET
from tests.gateway.rig import target
from tests.stores import rig as stores

from tidegate.control.certifying import Certifying
from tidegate.control.release_certificates import ReleaseCertificates, certificates_of
from tidegate.core.certificate import Fingerprint
from tidegate.core.declared import Declared
from tidegate.core.declared_prompts import DeclaredPrompts
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan, Release, Share
from tidegate.prompts.reading import Reading
from tidegate.stores import certificates, database
from tidegate.stores.ledger import Ledger
from tidegate.stores.rollouts import Kept

VERSIONS, MODELS = ("v3", "v7"), ("m-1", "m-2", "m-3")


@pytest.fixture
def room(layout: Layout, engine: Engine) -> Room:
    return Room(layout, engine, layout.state.parent / "tidegate.yaml")


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
