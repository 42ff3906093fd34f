"""Which version of its route's prompt a request has: by tag, by arm, while one is moved."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from tests.gateway.canaried import canaried
from tests.gateway.rig import gateway, run
from tests.gateway.routed import at
from tests.gateway.upstream import Upstream
from tests.gateway.with_prompt import (
    HI,
    NAME,
    RENDERED,
    TIDE,
    asked_by,
    published,
    sent,
    tagged,
    version,
)

from tidegate.core.prompt import RoutePrompt, Turn


def test_a_caller_chooses_among_the_tags_that_its_route_allows(tmp_path: Path) -> None:
    async def main() -> None:
        known = tagged(
            version("v3"),
            version("v4", Turn("system", "New: {{ product }}")),
            stable="v3",
            canary="v4",
        )
        allowed = RoutePrompt(NAME, allowed=("canary",))
        for tag, text in (("canary", "New: Tide"), ("stable", RENDERED["content"])):
            asked = {"messages": [HI], "prompt": {**TIDE, "tag": tag}}
            body = await sent(tmp_path / tag, asked, wanted=allowed, tagged=known)
            assert body["messages"][0]["content"] == text
        body = await sent(
            tmp_path / "v4",
            {"messages": [HI], "prompt": {**TIDE, "id": NAME, "version": "v4"}},
            wanted=allowed,
            tagged=known,
        )
        assert body["messages"][0]["content"] == "New: Tide"

    run(main())


def test_a_releases_arm_has_its_own_version(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            old, new = version("v3"), version("v4", Turn("system", "New: {{ product }}"))
            routes = canaried(
                at(up, "a"),
                at(up, "a"),
                always=("team:team-a",),
                with_prompt=RoutePrompt(NAME, version="v4"),
            )
            route = msgspec.structs.replace(routes["small"], prompt=RoutePrompt(NAME))
            known = tagged(old, new, stable="v3")
            plan = {"routes": {"small": route}, "prompts": {NAME: known}}
            async with gateway(tmp_path, at(up, "a"), **plan) as it:
                assert it.world.plan is not None
                coming = it.world.plan.routes["small"].candidate
                assert coming is not None
                for weight, served in ((0.0, "v3"), (1.0, "v4")):
                    coming.weight = weight
                    reply = await it.ask(body={"model": "small", "messages": [HI], "prompt": TIDE})
                    assert reply.headers["x-tidegate-prompt"] == f"support@{served}"

    run(main())


def test_every_request_has_one_version_whole_while_a_tag_is_flipped(tmp_path: Path) -> None:
    """System and question of one version, whatever is published meanwhile."""

    def of(name: str) -> Any:
        return version(
            name,
            Turn("system", f"{name} {{{{ product }}}}"),
            Turn("user", f"{name}?"),
        )

    async def main() -> None:
        async with Upstream() as up:
            both = of("v1"), of("v2")

            def fields(number: int) -> dict[str, Any]:
                known = tagged(*both, stable=f"v{1 + number % 2}")
                return asked_by(at(up, "a"), prompt=known)

            async with gateway(tmp_path, at(up, "a"), **fields(1)) as it:
                asking = [
                    asyncio.ensure_future(it.ask(body={"model": "small", "prompt": TIDE}))
                    for _ in range(60)
                ]
                for number in range(2, 12):
                    ack = await it.feed.apply(published(number, fields(number)))
                    assert (ack.plan_version, ack.error) == (number, None)
                    reply = await it.ask(body={"model": "small", "prompt": TIDE})
                    served = f"support@v{1 + number % 2}"
                    assert reply.headers["x-tidegate-prompt"] == served, "after its acknowledgement"
                for one in asking:
                    assert (await one).status == 200
                noted = Counter(one.prompt_version for one in it.receipts())
            sent = Counter[str | None]()
            for exchange in up.exchanges:
                system, question = msgspec.json.decode(exchange.body)["messages"]
                assert system["content"].split()[0] == question["content"].rstrip("?")
                sent[system["content"].split()[0]] += 1
            assert noted == sent, "each receipt names the version that was sent"
            assert noted.keys() == {"v1", "v2"}

    run(main())


def test_a_version_that_cannot_be_rendered_is_refused_with_its_plan(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream() as up:
            good = asked_by(at(up, "a"), prompt=tagged(version("v3")))
            async with gateway(tmp_path, at(up, "a"), **good) as it:
                broken = tagged(version("v4", Turn("system", "{% if %}")))
                plan = asked_by(at(up, "a"), prompt=broken)
                ack = await it.feed.apply(published(2, plan))
                assert ack.plan_version == 1
                assert ack.error is not None and "support@v4" in ack.error
                reply = await it.ask(body={"model": "small", "messages": [HI], "prompt": TIDE})
                assert reply.headers["x-tidegate-prompt"] == "support@v3"

    run(main())
