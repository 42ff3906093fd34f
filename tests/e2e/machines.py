"""Machines that share a PostgreSQL: control with its recorder and one gateway each."""

import asyncio
import re
import signal
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine
from tests.e2e.apart import PATIENCE_S, PLAN, Spawning
from tests.gateway.rig import until
from tests.gateway.spawned import Spawned
from tests.gateway.upstream import Exchange, Upstream, streaming, whole

from tidegate.cli._client import Control
from tidegate.control.credentials import create_state
from tidegate.control.shapes import KeyRevoked
from tidegate.control.shapes_budgets import NewBudget
from tidegate.stores import database, feed, fleet


class Machine:
    """Control with its recorder, and one gateway, on a state directory of their own."""

    def __init__(self, folder: Path, up: Upstream, pepper: bytes | None, plan: str = PLAN) -> None:
        folder.mkdir()
        self.control = Spawning(folder)
        create_state(self.control.layout)
        if pepper is not None:
            self.control.layout.pepper.write_bytes(pepper)
        (folder / "tidegate.yaml").write_text(plan.format(port=up.port))
        self.gateway = Spawned(self.control.layout)

    async def start(self) -> None:
        await self.control.start()
        await self.control.ready()
        await self.gateway.start()

    async def end(self) -> None:
        assert await self.control.end(signal.SIGTERM) == 0
        assert await self.gateway.end() == 0

    def said(self) -> str:
        return self.control.log.read_text()

    def revoke(self, key: str) -> KeyRevoked:
        found = re.match(r"sk-tg-(\w+)_", key)
        assert found is not None
        with Control(self.control.layout.state) as control:
            return control.post(f"/api/keys/{found[1]}/revoke", KeyRevoked)

    def cut_budget(self, amount_usd: str) -> None:
        """Sets a hard budget of everything, or in place of the one before."""
        asked = NewBudget("all", Decimal(amount_usd), "month", hard=True)
        with Control(self.control.layout.state) as control:
            control.post("/api/budgets", object, asked)


async def answer(exchange: Exchange) -> None:
    await (streaming(5) if exchange.json.get("stream") else whole())(exchange)


async def told(engine: Engine) -> None:
    """Waits until both gateways have heard of everything."""
    with database.reading(engine) as connection:
        newest = feed.newest_seq(connection)
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: [it.seq for it, _ in fleet.others(engine, "")] == [newest] * 2)
