"""kill -9 of the gateway under load: whatever a client saw the end of is in the journal, once.

`make test` kills 10 times, `make soak` 1,000 times; the seed is printed.
"""

import asyncio
import random
import signal
from pathlib import Path

import pytest
from tests.gateway.rig import HELLO, plan_of, read_journal, target
from tests.gateway.spawned import Spawned, ask, lay_out, post
from tests.gateway.upstream import Upstream, streaming, whole

from tidegate.core.plan import JournalBounds

SEED = 20_261
STREAM = {**HELLO, "stream": True}
CLIENTS = 8


class Load:
    """Clients that ask for ever and note the id of every answer that ended properly."""

    def __init__(self, key: str) -> None:
        self.acknowledged: list[str] = []
        self.broken = 0
        self.address = ("", 0)
        self._requests = [post(key, HELLO), post(key, STREAM)]

    async def run(self, number: int) -> None:
        turn = number
        while True:
            turn += 1
            try:
                reply = await ask(self.address, self._requests[turn % 2])
            except OSError:
                await asyncio.sleep(0.005)
                continue
            if reply.status == 200 and reply.whole:
                self.acknowledged.append(reply.headers["x-request-id"])
            else:
                self.broken += 1


async def kills(folder: Path, count: int) -> None:
    chance = random.Random(SEED)
    stream = streaming(5)
    answer = whole()

    async def both(exchange: object) -> None:
        asked = exchange.json.get("stream")  # type: ignore[attr-defined]
        await (stream if asked else answer)(exchange)  # type: ignore[arg-type]

    async with Upstream(both) as up:
        bounds = JournalBounds(segment_bytes=64 * 1024)
        layout, key = lay_out(folder, plan_of(target(up.port), journal=bounds))
        load = Load(key)
        clients: list[asyncio.Task[None]] = []
        it = Spawned(layout)
        for number in range(count):
            it = Spawned(layout)
            await it.start()
            load.address = it.address
            if not clients:
                clients = [asyncio.create_task(load.run(n)) for n in range(CLIENTS)]
            await asyncio.sleep(chance.uniform(0.02, 0.25))
            assert await it.end(signal.SIGKILL) == -signal.SIGKILL, number
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    receipts = [receipt.id for receipt in read_journal(it.journal)]
    print(
        f"\nseed {SEED}: {count} kills, {len(load.acknowledged)} acknowledged, "
        f"{load.broken} cut off, {len(receipts)} receipts"
    )
    assert len(load.acknowledged) > count
    assert len(set(receipts)) == len(receipts)
    assert set(load.acknowledged) <= set(receipts)
    assert len(set(load.acknowledged)) == len(load.acknowledged)


def test_ten_kills_lose_and_double_no_acknowledged_receipt(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 10))


@pytest.mark.soak
def test_a_thousand_kills_lose_and_double_no_acknowledged_receipt(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 1000))
