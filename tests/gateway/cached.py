"""A gateway whose route keeps answers, in front of an upstream that counts what it is asked."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.gateway.rig import HELLO, Gateway, gateway, plan_of, target
from tests.gateway.upstream import STREAM_HEAD, Exchange, Upstream, answer_bytes, completion

from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.plan import Plan, Target

# What asks for the same answer each time.
ASK: dict[str, Any] = {**HELLO, "temperature": 0, "seed": 1}
STREAMED = {**ASK, "stream": True}


def keeping(plan: Plan, **exact: Any) -> Plan:
    """The same plan, each of whose routes keeps answers."""
    cache = RouteCache(ExactCache(**exact))
    return replace(plan, routes={n: replace(it, cache=cache) for n, it in plan.routes.items()})


async def either(exchange: Exchange) -> None:
    """Answers `hello` whole, or in two pieces, whichever is asked for."""
    if not exchange.json.get("stream"):
        exchange.send(answer_bytes(200, msgspec.json.encode(completion())))
        return
    exchange.send(STREAM_HEAD)
    exchange.say("hel")
    exchange.say("lo")
    exchange.end()


class House:
    """A gateway and its upstream; `outcomes` is what came of each lookup, in order."""

    def __init__(self, it: Gateway, up: Upstream, plan: Plan) -> None:
        self.it, self.up, self.plan = it, up, plan
        self._version = plan.version

    async def obey(self, plan: Plan) -> None:
        self._version += 1
        assert await self.it.obey(replace(plan, version=self._version))

    async def outcomes(self, count: int) -> list[str | None]:
        await self.it.receipt(count)
        return [receipt.cache for receipt in self.it.receipts()]

    @property
    def asked(self) -> int:
        return len(self.up.exchanges)


@contextlib.asynccontextmanager
async def house(
    folder: Path, script: Any = either, aim: Target | None = None, **exact: Any
) -> AsyncIterator[House]:
    limits = exact.pop("limits", ())
    async with Upstream(script) as up, gateway(folder, target(up.port)) as it:
        to = target(up.port) if aim is None else replace(aim, replicas=target(up.port).replicas)
        made = House(it, up, keeping(plan_of(to, version=2, limits=limits), **exact))
        assert await it.obey(made.plan)
        yield made


def bearer(key: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", **more}


def said(body: bytes) -> str:
    text: str = msgspec.json.decode(body)["choices"][0]["message"]["content"]
    return text
