"""A room whose releases need certificates."""

from time import time
from typing import Any

from msgspec.structs import replace
from tests.control import release_room as rooms
from tests.control.conftest import Room
from tests.control.prompted import write
from tests.core.test_certificate import PLAIN

from tidegate.stores import certificates, database

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
