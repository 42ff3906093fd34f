"""What one machine changes is obeyed by another's gateways: a revoked key, a budget that is cut.

Also where that machine's control is dead or stands still. The times are printed.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.e2e.apart import LOOK_S, PATIENCE_S
from tests.e2e.machines import Machine, answer, told
from tests.gateway.rig import HELLO
from tests.gateway.spawned import Spawned, ask, post
from tests.gateway.upstream import Upstream
from tests.postgres import Server

from tidegate.stores import postgres_engine

pytestmark = pytest.mark.postgres

PRICED = """\
providers:
  up: {{kind: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", api_key: none}}
targets:
  small:
    {{provider: up, model: small, price: {{input_usd_per_mtok: 1, output_usd_per_mtok: 2}}}}
routes: {{small: small}}
"""

# Something that happens to the other machine's control before the change.
Before = Callable[[Machine], Awaitable[None]]


async def nothing(_machine: Machine) -> None:
    pass


async def killed(machine: Machine) -> None:
    await machine.control.end(signal.SIGKILL)


async def stopped(machine: Machine) -> None:
    machine.control.process.send_signal(signal.SIGSTOP)


async def refused(gateway: Spawned, key: str, code: str) -> float:
    """How long after now the gateway refused a request with this code, in seconds."""
    began_s = time.monotonic()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            reply = await ask(gateway.address, post(key, HELLO))
            if reply.status != 200:
                assert reply.code == code
                return time.monotonic() - began_s
            await asyncio.sleep(LOOK_S)


@contextlib.asynccontextmanager
async def two(server: Server, folder: Path) -> AsyncIterator[tuple[Machine, Machine]]:
    """The leader, and another machine."""
    engine = postgres_engine.open_engine(server.url("d1"))
    async with Upstream(answer) as up:
        one = Machine(folder / "one", up, None, PRICED)
        await one.start()
        other = Machine(folder / "other", up, one.control.layout.pepper.read_bytes(), PRICED)
        await other.start()
        await told(engine)
        yield one, other
        if other.control.process.returncode is not None:
            await other.control.start()
            await other.control.ready()
        other.control.process.send_signal(signal.SIGCONT)
        await told(engine)  # who was away goes on where the gateway was
        await other.end()
        await one.end()
    engine.dispose()


@pytest.mark.parametrize("before", [nothing, killed, pytest.param(stopped, marks=pytest.mark.soak)])
def test_what_one_machine_changes_the_other_s_gateway_obeys(
    own: Server, tmp_path: Path, before: Before
) -> None:
    async def main() -> None:
        async with two(own, tmp_path) as (one, other):
            key, poor = [await asyncio.to_thread(one.control.key) for _ in range(2)]
            for each in (key, poor):
                reply = await ask(other.gateway.address, post(each, HELLO))
                assert reply.status == 200, reply.raw
            await before(other)
            asyncio.get_running_loop().run_in_executor(None, one.revoke, key)
            revoked_s = await refused(other.gateway, key, "revoked_api_key")
            asyncio.get_running_loop().run_in_executor(None, one.cut_budget, "0.000001")
            cut_s = await refused(other.gateway, poor, "insufficient_quota")
        print(f"\n{before.__name__}: a key after {revoked_s:.2f} s, a budget after {cut_s:.2f} s")

    asyncio.run(main())
