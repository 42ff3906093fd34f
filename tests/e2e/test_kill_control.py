"""kill -9 of control, with the recorder inside it, under load: traffic flows on, and every answer
that a client saw the end of is in the ledger, once.

Control is started by the test, not by the supervisor, which would wait longer before each restart.
`make test` kills 30 times, `make soak` 1,000 times; the seed is printed.
"""

import asyncio
import random
import signal
import sys
from pathlib import Path

import pytest
from tests.gateway.rig import HELLO, spawn, until
from tests.gateway.spawned import Spawned, ask, post
from tests.gateway.upstream import Exchange, Upstream, streaming, whole
from tests.record.rig import ledger_ids

from tidegate.cli._client import Control
from tidegate.control.shapes import KeyMade, NewKey
from tidegate.core.layout import Layout
from tidegate.stores import database

SEED = 20_262
CLIENTS = 4
PATIENCE_S = 30.0
LOOK_S = 0.01
# A segment is deleted once it is recorded: small ones, so that this happens between kills too.
PLAN = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  small: {{provider: up, model: small, price: free}}
routes: {{small: small}}
storage: {{segment: 64KiB}}
"""


class Spawning:
    """Control as a process of its own, started again and again on one state directory."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / "state")
        self.log = folder / "control.log"
        self._plan = folder / "tidegate.yaml"
        self._url = self.layout.run / "control.url"
        self.process: asyncio.subprocess.Process

    async def start(self) -> None:
        self._url.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = await spawn(
                *(sys.executable, "-m", "tidegate.boot.embedded"),
                *("--state", str(self.layout.state), "--plan", str(self._plan)),
                *("--listen", "127.0.0.1:0"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        """Waits until it serves; the recorder runs by then."""
        async with asyncio.timeout(PATIENCE_S):
            while not self._url.exists():
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(LOOK_S)

    async def end(self, number: int) -> int:
        self.process.send_signal(number)
        return await self.process.wait()

    def key(self) -> str:
        with Control(self.layout.state) as control:
            return control.post("/api/keys", KeyMade, NewKey(name="test", routes=("*",))).key


class Load:
    """Clients that ask until told to stop, and note how every request ended."""

    def __init__(self, address: tuple[str, int], key: str) -> None:
        self.acknowledged: list[str] = []
        self.failed: list[bytes] = []
        self.stopped = False
        self._address = address
        self._requests = [post(key, HELLO), post(key, {**HELLO, "stream": True})]

    async def run(self, number: int) -> None:
        turn = number
        while not self.stopped:
            turn += 1
            reply = await ask(self._address, self._requests[turn % 2])
            if reply.status == 200 and reply.whole:
                self.acknowledged.append(reply.headers["x-request-id"])
            else:
                self.failed.append(reply.raw)
            await asyncio.sleep(LOOK_S)


async def kill_and_restart(control: Spawning, load: Load, chance: random.Random) -> None:
    """One kill, while control starts or while it works; requests end while it is away."""
    if chance.random() < 0.5:
        await control.ready()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
    else:
        await asyncio.sleep(chance.uniform(0.0, 1.0))
    assert await control.end(signal.SIGKILL) == -signal.SIGKILL
    seen = len(load.acknowledged)
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: len(load.acknowledged) > seen + CLIENTS)
    await control.start()


async def recorded(layout: Layout, acknowledged: list[str]) -> list[str]:
    """The ids in the ledger, once the recorder has had the time to take all of them in."""
    engine = database.open_engine(layout.ledger_db)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len(ids := ledger_ids(engine)) < len(acknowledged):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S * 10)
        return ids
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


def test_thirty_kills_of_control_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 30))


@pytest.mark.soak
def test_a_thousand_kills_of_control_lose_and_double_nothing(tmp_path: Path) -> None:
    asyncio.run(kills(tmp_path, 1000))
