"""A route `small` that is asked by a prompt, versions of that prompt, and requests of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw
from tests.gateway.rig import gateway, plan_of
from tests.gateway.routed import at, routed
from tests.gateway.upstream import Upstream

from tidegate.core.feed import Entry, PlanPublished
from tidegate.core.plan import Target
from tidegate.core.prompt import Input, Prompt, RoutePrompt, Tagged, Turn

NAME = "support"
INPUTS = (Input("product"), Input("tone", default='"calm"'))
SYSTEM = Turn("system", "You answer for {{ product }}, in a {{ tone }} tone.")
QUESTION = Turn("user", "What is {{ product }}?")
HI = {"role": "user", "content": "hi"}
TIDE: dict[str, Any] = {"variables": {"product": "Tide"}}
RENDERED = {"role": "system", "content": "You answer for Tide, in a calm tone."}
ASKED = {"role": "user", "content": "What is Tide?"}


def version(name: str, *turns: Turn, **fields: Any) -> Prompt:
    """Its digest is made of its name and its turns' texts, as far as tests mind."""
    shown = turns or (SYSTEM,)
    digest = f"{name}:{hash((shown, repr(sorted(fields))))}"
    values: dict[str, Any] = {"inputs": INPUTS, **fields}
    return Prompt(NAME, name, digest, shown, **values)


def tagged(*versions: Prompt, **tags: str) -> Tagged:
    """By default `stable` is the first."""
    by_tag = tags or {"stable": versions[0].version}
    return Tagged(NAME, by_tag, {it.version: it for it in versions})


def asked_by(
    *targets: Target, prompt: Tagged, wanted: RoutePrompt | None = None, **fields: Any
) -> dict[str, Any]:
    """Members of a plan in which `small` is asked by `prompt`."""
    routes = routed(*targets, prompt=wanted or RoutePrompt(NAME), **fields)
    return {"routes": routes, "prompts": {NAME: prompt}}


def published(number: int, fields: dict[str, Any]) -> Entry:
    """The plan of that number as the feed carries it."""
    packed = Raw(msgspec.msgpack.encode(plan_of(version=number, **fields)))
    return Entry(number, PlanPublished(number, packed))


async def sent(
    folder: Path,
    body: Mapping[str, Any],
    path: str = "/v1/chat/completions",
    wanted: RoutePrompt | None = None,
    **prompt: Any,
) -> Any:
    """The body at the upstream of one request, answered well; its receipt checked."""
    async with Upstream() as up:
        found = prompt.pop("tagged", None) or tagged(version("v3", **prompt))
        plan = asked_by(at(up, "a"), prompt=found, wanted=wanted)
        async with gateway(folder, at(up, "a"), **plan) as it:
            reply = await it.ask(path, {"model": "small", **body})
            assert reply.status == 200, reply.raw
            assert reply.headers["x-tidegate-prompt"].startswith(f"{NAME}@")
            [noted] = it.receipts()
            assert noted.prompt == NAME
            assert reply.headers["x-tidegate-prompt"] == f"{NAME}@{noted.prompt_version}"
            return msgspec.json.decode(up.exchanges[-1].body)
