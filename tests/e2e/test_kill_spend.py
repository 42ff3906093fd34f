"""kill -9 of a gateway, or of control with its recorder, under load: what a restarted gateway
counts of a budget is what the ledger adds up to, and what its provider was paid for is in it.

`make test` kills 6 times, `make soak` 300 times; the seed is printed.
"""

import asyncio
import random
import signal
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.e2e.apart import PATIENCE_S, Load, Spawning
from tests.gateway.reply import Reply
from tests.gateway.spawned import Spawned, ask
from tests.gateway.upstream import Exchange, Upstream, streaming, whole

from tidegate.core.layout import Layout
from tidegate.core.units import NANOUSD_PER_USD
from tidegate.stores import database, schema

SEED = 20_263
CLIENTS = 6
PLAN = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  small:
    provider: up
    model: small
    price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}
routes: {{small: small}}
budgets:
  ours: {{amount: $1000, per: year, hard: true}}
  each: {{amount: $1000, per: 30d, scope: [key], hard: true}}
storage: {{segment: 64KiB}}
"""


async def usage(gateway: Spawned, key: str) -> dict[str, int]:
    """What the gateway says is used of each budget, in nano-dollars."""
    head = f"GET /v1/usage HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {key}\r\n"
    reply: Reply = await ask(gateway.address, f"{head}connection: close\r\n\r\n".encode())
    assert reply.status == 200, reply.raw
    rows = reply.json["data"]
    assert {row["kind"] for row in rows} == {"spend"}
    return {row["limit"]: round(float(row["used"]) * NANOUSD_PER_USD) for row in rows}


def ledger_sum(layout: Layout) -> tuple[int, int]:
    """(receipts, nano-dollars) in the ledger."""
    engine = database.open_engine(layout.ledger_db)
    try:
        with database.reading(engine) as connection:
            columns = func.count(), func.coalesce(func.sum(schema.receipts.c.cost_nanousd), 0)
            return tuple(connection.execute(select(*columns)).one())  # type: ignore[return-value]
    finally:
        engine.dispose()


async def agreed(control: Spawning, gateway: Spawned, key: str) -> dict[str, int]:
    """What is counted, once the ledger holds as much; AssertionError when it never does."""
    used = await usage(gateway, key)
    wanted = max(used.values())
    last = (0, -1)
    async with asyncio.timeout(PATIENCE_S):
        while (now := await asyncio.to_thread(ledger_sum, control.layout)) != last or (
            now[1] < wanted
        ):
            last = now
            await asyncio.sleep(0.3)  # the recorder looks twenty times a second
    assert set(used.values()) == {last[1]}, (used, last)
    return used


async def kills(folder: Path, count: int) -> None:
    chance = random.Random(SEED)
    stream, answer = streaming(5), whole()

    async def both(exchange: Exchange) -> None:
        await (stream if exchange.json.get("stream") else answer)(exchange)

    async with Upstream(both) as up:
        control = Spawning(folder)
        (folder / "tidegate.yaml").write_text(PLAN.format(port=up.port))
        await control.start()
        await control.ready()
        gateway = Spawned(control.layout)
        await gateway.start()
        load = Load(gateway.address, await asyncio.to_thread(control.key))
        used = {"ours": 0}
        for number in range(count):
            load.address, load.stopped = gateway.address, False
            clients = [asyncio.create_task(load.run(n)) for n in range(CLIENTS)]
            await asyncio.sleep(chance.uniform(0.05, 0.4))
            if chance.random() < 0.5:  # what the recorder has not taken in stays in the journal
                assert await control.end(signal.SIGKILL) == -signal.SIGKILL
                await asyncio.sleep(chance.uniform(0.0, 0.2))
            assert await gateway.end(signal.SIGKILL) == -signal.SIGKILL, number
            gateway = Spawned(control.layout, slot=chance.randrange(2))
            await gateway.start()
            first = await usage(gateway, load.key)
            assert first["ours"] == first["each"] > used["ours"], (number, first, used)
            load.stopped = True
            await asyncio.gather(*clients)
            if control.process.returncode is not None:
                await control.start()
                await control.ready()
            used = await agreed(control, gateway, load.key)
            assert used == first
            up.exchanges.clear()
        assert await control.end(signal.SIGTERM) == 0
        assert await gateway.end() == 0
    answered = len(load.acknowledged)
    print(f"\nseed {SEED}: {count} kills, {answered} answered, {used['ours']} nano-dollars")
    assert answered > count


def test_six_kills_leave_counters_and_ledger_agreed(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 6))


@pytest.mark.soak
def test_three_hundred_kills_leave_counters_and_ledger_agreed(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 300))
