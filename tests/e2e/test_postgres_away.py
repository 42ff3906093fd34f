"""Two machines on one PostgreSQL, which is killed, frozen and restarted under load.

Every answer that a client saw the end of is in the ledger, once; nobody with a known key is
refused meanwhile; and what control says reaches the gateways of both machines. `make test` takes
PostgreSQL away for 10 s in all, `make soak` for 60 s each time.
"""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from click import ClickException
from sqlalchemy import Engine, func, select
from tests.e2e.apart import LOOK_S, PATIENCE_S, PLAN, Load, Spawning
from tests.gateway.rig import HELLO, until
from tests.gateway.spawned import Spawned, ask, post
from tests.gateway.upstream import Exchange, Upstream, streaming, whole
from tests.postgres import Server, serving
from tests.record.rig import ledger_ids

from tidegate.cli._client import Control
from tidegate.control.credentials import create_state
from tidegate.control.shapes import KeyRevoked
from tidegate.stores import database, feed, fleet, postgres_engine, schema

pytestmark = pytest.mark.postgres

CLIENTS = 2
EX_CONFIG = 78
STRANGER = "sk-tg-zzzzzzzz_" + "z" * 32


Away = Callable[[Server, float], Awaitable[None]]


class Machine:
    """Control with its recorder, and one gateway, on a state directory of their own."""

    def __init__(self, folder: Path, up: Upstream, pepper: bytes | None) -> None:
        folder.mkdir()
        self.control = Spawning(folder)
        create_state(self.control.layout)
        if pepper is not None:
            self.control.layout.pepper.write_bytes(pepper)
        (folder / "tidegate.yaml").write_text(PLAN.format(port=up.port))
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


async def answer(exchange: Exchange) -> None:
    await (streaming(5) if exchange.json.get("stream") else whole())(exchange)


async def killed(server: Server, away_s: float) -> None:
    server.kill()
    await asyncio.sleep(away_s)
    await asyncio.to_thread(server.start)


async def frozen(server: Server, away_s: float) -> None:
    with server.frozen():
        await asyncio.sleep(away_s)


async def restarted(server: Server, away_s: float) -> None:
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(away_s)
    await asyncio.to_thread(server.start)


async def refused(machine: Machine) -> None:
    """A key that nobody has seen cannot be checked: its holder is told that, not that it is bad."""
    reply = await ask(machine.gateway.address, post(STRANGER, HELLO))
    assert (reply.status, b"store_unavailable" in reply.raw) == (503, True), reply.raw


async def told(engine: Engine) -> None:
    """Waits until both gateways have heard of everything."""
    with database.reading(engine) as connection:
        newest = feed.newest_seq(connection)
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: [it.seq for it, _ in fleet.others(engine, "")] == [newest] * 2)


async def recorded(engine: Engine, acknowledged: list[str]) -> None:
    wanted = set(acknowledged)
    async with asyncio.timeout(PATIENCE_S):
        while not wanted <= set(await asyncio.to_thread(ledger_ids, engine)):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S * 10)
    ids = ledger_ids(engine)
    assert len(ids) == len(set(ids))
    with database.reading(engine) as connection:
        rolled_up = connection.execute(select(func.sum(schema.spend.c.requests))).scalar()
        count = connection.execute(select(func.count()).select_from(schema.receipts)).scalar()
    assert rolled_up == count


async def taken_away(
    server: Server,
    folder: Path,
    away: Away,
    away_s: float,
) -> None:
    engine = postgres_engine.open_engine(server.url("d1"))
    async with Upstream(answer) as up:
        one = Machine(folder / "one", up, None)
        await one.start()
        other = Machine(folder / "other", up, one.control.layout.pepper.read_bytes())
        await other.start()
        key = await asyncio.to_thread(one.control.key)
        await told(engine)
        loads = [Load(machine.gateway.address, key) for machine in (one, other)]
        clients = [asyncio.create_task(it.run(n)) for it in loads for n in range(CLIENTS)]
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: all(len(it.acknowledged) > CLIENTS for it in loads))
        gone = asyncio.create_task(away(server, away_s))
        await asyncio.sleep(min(1.0, away_s / 2))
        for machine in (one, other):
            await refused(machine)
        await gone
        await asyncio.sleep(0.5)
        for it in loads:
            it.stopped = True
        await asyncio.gather(*clients)
        acknowledged = [each for it in loads for each in it.acknowledged]
        assert [it.failed for it in loads] == [[], []]
        await recorded(engine, acknowledged)
        await other.end()
        await one.end()
    engine.dispose()
    print(f"\n{away.__name__} for {away_s:g} s: {len(acknowledged)} acknowledged, 0 lost")


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of this test's own, and every process that it starts uses its database."""
    with serving() as server:
        monkeypatch.setenv("TIDEGATE_DATABASE", server.database().reveal())
        yield server


@pytest.mark.parametrize("away", [killed, frozen, restarted])
def test_nothing_is_lost_or_doubled_while_it_is_away_for_a_moment(
    own: Server, tmp_path: Path, away: Away
) -> None:
    asyncio.run(taken_away(own, tmp_path, away, 3.4))


@pytest.mark.soak
@pytest.mark.parametrize("away", [killed, frozen, restarted])
def test_nothing_is_lost_or_doubled_while_it_is_away_for_a_minute(
    own: Server, tmp_path: Path, away: Away
) -> None:
    asyncio.run(taken_away(own, tmp_path, away, 60.0))


async def handed_over(folder: Path) -> None:
    async with Upstream(answer) as up:
        one = Machine(folder / "one", up, None)
        await one.start()
        other = Machine(folder / "other", up, one.control.layout.pepper.read_bytes())
        await other.start()
        assert "this control leads" in one.said()
        assert "this control is stand-by: " in other.said()
        with pytest.raises(ClickException, match="stands by"):
            await asyncio.to_thread(other.control.key)
        key, second = [await asyncio.to_thread(one.control.key) for _ in range(2)]
        machines = (one, other)
        for machine in machines:
            reply = await ask(machine.gateway.address, post(key, HELLO))
            assert reply.status == 200, reply.raw
            reply = await ask(machine.gateway.address, post(second, HELLO))
            assert reply.status == 200, reply.raw
        revoked = await asyncio.to_thread(one.revoke, key)
        assert revoked.waiting_for == [], "it was waited for on both machines"
        for machine in machines:
            reply = await ask(machine.gateway.address, post(key, HELLO))
            assert reply.status == 401, reply.raw
        assert await one.control.end(signal.SIGKILL) == -signal.SIGKILL
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: "this control leads" in other.said())
        revoked = await asyncio.to_thread(other.revoke, second)
        assert [name.rpartition("/")[2] for name in revoked.waiting_for] == ["gateway-0"]
        reply = await ask(other.gateway.address, post(second, HELLO))
        assert reply.status == 401, reply.raw
        await one.control.start()
        await one.control.ready()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                reply = await ask(one.gateway.address, post(second, HELLO))
                if reply.status == 401:
                    break
                await asyncio.sleep(LOOK_S)
        await other.end()
        await one.end()


def test_a_control_that_stands_by_takes_over_and_both_machines_hear_of_revoked_keys(
    own: Server, tmp_path: Path
) -> None:
    asyncio.run(handed_over(tmp_path))


async def refuses_to_start(folder: Path) -> None:
    async with Upstream(answer) as up:
        one = Machine(folder / "one", up, None)
        await one.start()
        other = Machine(folder / "other", up, None)
        await other.control.start()
        assert await other.control.process.wait() == EX_CONFIG
        assert "copy it from a machine that shares the database" in other.said()
        await one.end()


def test_a_machine_with_another_pepper_refuses_to_start(own: Server, tmp_path: Path) -> None:
    asyncio.run(refuses_to_start(tmp_path))
