"""Requests that wait at a version until it is rolled back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.gateway.reply import Reply
from tests.gateway.rig import HELLO, Gateway, gateway, plan_of
from tests.gateway.upstream import Exchange, streaming, whole

from tidegate.core.plan import Plan, Queueing, Route
from tidegate.gateway.overlay import put_in_force
from tidegate.gateway.prepared import PreparedPlan

NARROW = Queueing(max_in_flight=1)
STREAMED = {**HELLO, "stream": True}
Asking = list["asyncio.Task[Reply]"]


async def either(exchange: Exchange) -> None:
    """As it was asked: whole, or as a stream."""
    await (streaming() if exchange.json.get("stream") else whole())(exchange)


class Held:
    """A provider that answers nobody before it is told to."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        await self.answers.wait()
        await either(exchange)


class Moving:
    """A gateway whose candidate everybody gets until it is rolled back."""

    def __init__(self, it: Gateway, plan: Plan, lever: str = "release_weight") -> None:
        assert it.world.plan is not None
        self.it = it
        self.base: PreparedPlan = it.world.plan
        self.plan = plan
        put_in_force(it.world, self.base, {lever: {"small": 1.0}})

    def flip(self) -> None:
        put_in_force(self.it.world, self.base, {})

    def ask(self, count: int, body: Any = None) -> Asking:
        return [asyncio.create_task(self.it.ask(body=body)) for _ in range(count)]


@contextlib.asynccontextmanager
async def moving(
    folder: Path,
    routes: dict[str, Route],
    lever: str = "release_weight",
    **fields: Any,
) -> AsyncIterator[Moving]:
    plan = plan_of(routes=routes, **fields)
    async with gateway(folder) as it:
        assert await it.obey(plan)
        yield Moving(it, plan, lever)
