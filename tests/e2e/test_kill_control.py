"""kill -9 of control, with the recorder inside it, under load: traffic flows on, and every answer
that a client saw the end of is in the ledger, once.

Control is started by the test, not by the supervisor, which would wait longer before each restart.
`make test` kills 6 times, `make soak` 1,000 times; the seed is printed.
"""

import asyncio
import random
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from tests.e2e.apart import LOOK_S, PATIENCE_S, PLAN, Load, Spawning
from tests.gateway.rig import until
from tests.gateway.spawned import Spawned
from tests.gateway.upstream import Exchange, Upstream, streaming, whole
from tests.record.rig import ledger_ids

from tidegate.core.layout import Layout
from tidegate.stores import database, schema

SEED = 20_262
CLIENTS = 4


async def kill_and_restart(control: Spawning, load: Load, chance: random.Random) -> None:
    """One kill, while control starts or while it works; requests end while it is away."""
    if chance.random() < 0.75:
        await control.ready()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
    else:
        await asyncio.sleep(chance.uniform(0.0, 1.0))
    assert await control.end(signal.SIGKILL) == -signal.SIGKILL
    seen = len(load.acknowledged)
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: len(load.acknowledged) > seen + CLIENTS)
    await control.start()


def receipts_in(engine: Engine) -> int:
    with database.reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(schema.receipts)).scalar_one()


async def recorded(layout: Layout, acknowledged: list[str]) -> list[str]:
    """The ids in the ledger, once the recorder has had the time to take all of them in."""
    engine = database.open_engine(layout.ledger_db)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while receipts_in(engine) < len(acknowledged):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S * 10)
        return ledger_ids(engine)
    finally:
        engine.dispose()


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
        clients = [asyncio.create_task(load.run(number)) for number in range(CLIENTS)]
        for _ in range(count):
            await kill_and_restart(control, load, chance)
            up.exchanges.clear()
        load.stopped = True
        await asyncio.gather(*clients)
        await control.ready()
        ids = await recorded(control.layout, load.acknowledged)
        assert await control.end(signal.SIGTERM) == 0
        assert await gateway.end() == 0
    print(f"\nseed {SEED}: {count} kills, {len(load.acknowledged)} acknowledged, {len(ids)} kept")
    assert not load.failed
    assert len(load.acknowledged) > count
    assert sorted(ids) == sorted(load.acknowledged)


def test_six_kills_of_control_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 6))


@pytest.mark.soak
def test_a_thousand_kills_of_control_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 1000))
