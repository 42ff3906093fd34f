"""Runs over a gateway in this process, and prompts, cases and upstreams for them."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw
from tests.gateway.rig import Gateway as House
from tests.gateway.rig import gateway
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Exchange, Upstream, answer_bytes, completion

from tidegate.core.grading import Case, Check
from tidegate.core.prompt import Input, Prompt, Turn
from tidegate.evals.asking import Gateway, Patience
from tidegate.evals.grading import Judges, Marker
from tidegate.evals.run import Course, Run
from tidegate.evals.run_file import RunFile, RunHead
from tidegate.evals.side import Side, SideName, writers
from tidegate.evals.suite import Suite

SOON = Patience(tries=3, first_pause_s=0.01, most_pause_s=0.02, answer_s=5.0)
SESSION = "run-1"
Say = Callable[[dict[str, Any]], Any]


def prompt(version: str, text: str = "You know {{ fact }}.", **fields: Any) -> Prompt:
    values: dict[str, Any] = {"inputs": (Input("question"), Input("fact", default='"much"'))}
    turns = (Turn("system", text), Turn("user", "{{ question }}"))
    return Prompt("support", version, f"{version}-digest", turns, **(values | fields))


def case(name: str, expected: str = "good", **fields: Any) -> Case:
    """A question that names itself, whose answer has to hold `expected`."""
    values: dict[str, Any] = {
        "variables": {"question": Raw(msgspec.json.encode(name))},
        "expected": Raw(msgspec.json.encode(expected)),
        "checks": (Check("contains"),),
    }
    return Case(name, **(values | fields))


def suite(*cases: Case, repeats: int = 1) -> Suite:
    return Suite("support", cases, repeats=repeats)


def sides(before: str = "You know {{ fact }}.", after: str = "") -> dict[SideName, Side]:
    """Two versions; their texts are told apart by the upstream."""
    return {
        "baseline": Side("small", prompt("v1", before)),
        "candidate": Side("small", prompt("v2", after or f"{before} Really.")),
    }


def saying(say: Say) -> Callable[[Exchange], Awaitable[None]]:
    """Answers each request with what `say` makes of its body: a text, or (status, code)."""

    async def script(exchange: Exchange) -> None:
        said = say(exchange.json)
        if isinstance(said, tuple):
            status, code = said
            body = msgspec.json.encode({"error": {"message": "no", "code": code}})
            exchange.send(answer_bytes(status, body))
        else:
            exchange.send(answer_bytes(200, msgspec.json.encode(completion(text=said))))

    return script


@contextlib.asynccontextmanager
async def asked(
    folder: Path, say: Say, **fields: Any
) -> AsyncIterator[tuple[House, Upstream, Gateway]]:
    """A house whose one target answers as it is told, and a run's way to it."""
    async with Upstream(saying(say)) as up:
        folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - of a test
        async with gateway(folder, at(up, "a"), routes=routed(at(up, "a")), **fields) as house:
            key = house.store.add(purpose="eval")
            host, port = house.address
            async with Gateway(f"http://{host}:{port}", key, SESSION, 4, SOON) as way:
                yield house, up, way


def opened(
    path: Path, of: Suite, both: Mapping[SideName, Side], course: Course | None = None
) -> tuple[RunFile, Run]:
    """A run whose outcomes lie in a file; both to be closed by who asked."""
    digests = {name: side.digest() for name, side in both.items()}
    file = RunFile(path, RunHead(SESSION, of.name, of.digest(), digests, of.repeats))
    run = Run(of, writers(both), file, Marker(Judges()), course or Course(at_once=4))
    return file, run
