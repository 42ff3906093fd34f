"""A gateway whose route `small` has a ladder, in front of two simulated engines that fail on
demand: `big` is the route's own, `mini` what its rungs may ask."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.gateway.reply import Reply
from tests.gateway.rig import CHAT, HELLO, Gateway, gateway, target
from tests.sim.rig import engine

from tidegate.core import clock
from tidegate.core.ladder import Rung, When
from tidegate.core.plan import Limit, Plan, Release, Route
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Retry
from tidegate.sim.server import Running

MESSAGES, RESPONSES = "/v1/messages", "/v1/responses"
ANY = ("unavailable", "timeout", "rate_limited", "overflow", "malformed", "refused_by_safety")
SORRY = Rung("sorry", "apology", When(ANY), text="Sorry.")
# A request of each dialect, whole.
ASKED: dict[str, dict[str, Any]] = {
    CHAT: HELLO,
    MESSAGES: {**HELLO, "max_tokens": 50},
    RESPONSES: {"model": "small", "input": "hi", "store": False},
}
LIKE: dict[str, Any] = {"dialect": "sim"}


class Drill:
    """`plan` is obeyed; `again` obeys another one."""

    def __init__(self, it: Gateway, big: Running, mini: Running, plan: Plan) -> None:
        self.it, self.big, self.mini, self.plan = it, big, mini, plan
        self._asked = 0

    async def ask(self, path: str = CHAT, headers: Any = None, **body: Any) -> Reply:
        return await self.it.ask(path, {**ASKED[path], **body}, headers)

    async def served(self, path: str = CHAT, **body: Any) -> tuple[Reply, Receipt]:
        """One request, and its receipt once that is written."""
        before = len(self.it.receipts())
        reply = await self.ask(path, **body)
        return reply, await self.it.receipt(before + 1)

    def asked(self, engine: Running) -> list[Any]:
        """What an engine was asked, by its own log."""
        return list(engine.sim.log)


@contextlib.asynccontextmanager
async def drilled(
    folder: Path,
    *rungs: Rung,
    faults: tuple[str, ...] = (),
    mini_faults: tuple[str, ...] = (),
    limits: tuple[Limit, ...] = (),
    big: dict[str, Any] | None = None,
    mini: dict[str, Any] | None = None,
    **route: Any,
) -> AsyncIterator[Drill]:
    async with (
        engine(*faults, models=("sim",)) as first,
        engine(*mini_faults, models=("sim",)) as second,
        gateway(folder) as it,
    ):
        own = target(_port(first), "big", model="sim", **{**LIKE, **(big or {})})
        other = target(_port(second), "mini", model="sim", **{**LIKE, **(mini or {})})
        asks = any(rung.target for rung in rungs)
        found = Route(
            "small",
            Release("small@1", own),
            retry=route.pop("retry", Retry(attempts=1)),
            ladder=rungs,
            rung_targets=(other,) if asks else (),
            **route,
        )
        plan = Plan(1, "digest", 1_700_000_000.0, {"small": found}, limits=limits)
        assert await it.obey(plan)
        async with _ticking(it):
            yield Drill(it, first, second, plan)


def _port(running: Running) -> int:
    return int(running.base_url.rpartition(":")[2].partition("/")[0])


@contextlib.asynccontextmanager
async def _ticking(it: Gateway) -> AsyncIterator[None]:
    async def tick() -> None:
        while True:
            await asyncio.sleep(0.02)
            it.world.sweep(clock.monotonic_s())

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
