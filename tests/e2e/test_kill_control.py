"""kill -9 of control, with the recorder inside it, under load: traffic flows on, and every answer
that a client saw the end of is in the ledger, once.

The supervisor waits longer before each restart, up to 10 s, which bounds the kills of `make test`.
"""

import asyncio
import os
import random
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.e2e.rig import House
from tests.gateway.rig import HELLO
from tests.gateway.spawned import ask, post
from tests.gateway.upstream import Upstream, whole

from tidegate.stores import database, receipts

SEED = 20_262
PLAN = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  small: {{provider: up, model: small, price: free}}
routes: {{small: small}}
"""


def control_pid(house: House) -> int | None:
    """The control process among the children of the supervisor."""
    assert house.process is not None
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        pid, parent, arguments = line.split(None, 2)
        if int(parent) == house.process.pid and "tidegate.boot.embedded" in arguments:
            return int(pid)
    return None


async def kills(folder: Path, count: int) -> None:
    chance = random.Random(SEED)
    acknowledged: list[str] = []
    refused: list[int] = []
    async with Upstream(whole()) as up:
        house = House(folder, PLAN.format(port=up.port))
        await asyncio.to_thread(house.start)
        key = await asyncio.to_thread(house.key)
        place = urlsplit(house.url)
        address = (str(place.hostname), int(place.port or 0))

        async def run() -> None:
            while True:
                reply = await ask(address, post(key, HELLO))
                if reply.status == 200 and reply.whole:
                    acknowledged.append(reply.headers["x-request-id"])
                else:
                    refused.append(reply.status)
                await asyncio.sleep(0.01)

        clients = [asyncio.create_task(run()) for _ in range(4)]
        killed = 0
        while killed < count:
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            pid = await asyncio.to_thread(control_pid, house)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                killed += 1
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        while not await asyncio.to_thread(house.ready):  # noqa: ASYNC110 - it says nothing
            await asyncio.sleep(0.05)
        engine = database.open_engine(house.layout.ledger_db)
        missing = list(acknowledged)
        for _ in range(600):
            missing = [m for m in missing if receipts.by_id(engine, m) is None]
            if not missing:
                break
            await asyncio.sleep(0.05)
        total = receipts.newest_seq(engine)
        engine.dispose()
        assert await asyncio.to_thread(house.stop) == 0
    print(f"\nseed {SEED}: {count} kills, {len(acknowledged)} acknowledged, {total} in the ledger")
    assert not refused
    assert not missing
    assert total == len(acknowledged) == len(set(acknowledged))


def test_kills_of_control_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 5))


@pytest.mark.soak
def test_a_thousand_kills_of_control_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 1000))
