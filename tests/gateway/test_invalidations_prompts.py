"""A prompt's tag that moves never serves what its older version was answered, kept or under way."""

import asyncio
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from tests.gateway.cached import either
from tests.gateway.rig import gateway, run
from tests.gateway.routed import at
from tests.gateway.upstream import Exchange, Upstream
from tests.gateway.with_prompt import HI, TIDE, asked_by, published, tagged, version

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.cache_labels import Selector
from tidegate.core.prompt import Turn

OLD, NEW = version("v3"), version("v4", Turn("system", "New: {{ product }}"))
ASK = {"model": "small", "messages": [HI], "prompt": TIDE, "temperature": 0, "seed": 1}


def pointing(up: Upstream, stable: str) -> dict[str, Any]:
    fields = asked_by(at(up, "a"), prompt=tagged(OLD, NEW, stable=stable))
    keeping = RouteCache(ExactCache())
    routes = {name: replace(it, cache=keeping) for name, it in fields["routes"].items()}
    return {**fields, "routes": routes}


def test_the_tag_moves_while_an_answer_is_under_way_and_back(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            if len(up.exchanges) == 1:
                await gate.wait()
            await either(exchange)

        async with Upstream(script) as up, gateway(tmp_path, at(up, "a")) as it:

            async def ask() -> tuple[str, str]:
                headers = (await it.ask(body=ASK)).headers
                return headers["x-tidegate-cache"], headers["x-tidegate-prompt"]

            await it.feed.apply(published(2, pointing(up, "v3")))
            first = asyncio.create_task(ask())
            await up.arrived(1)
            await it.feed.apply(published(3, pointing(up, "v4")))
            assert await ask() == ("miss", "support@v4")
            gate.set()
            assert await first == ("miss", "support@v3")
            assert await ask() == ("hit", "support@v4")
            await it.feed.apply(published(4, pointing(up, "v3")))
            assert await ask() == ("hit", "support@v3")
            it.world.cache.invalidate("01A", Selector(prompt="support", version="v3"))
            assert await ask() == ("miss", "support@v3")
            await it.feed.apply(published(5, pointing(up, "v4")))
            assert await ask() == ("hit", "support@v4")

    run(main())
