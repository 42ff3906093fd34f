"""Two machines on one PostgreSQL, which is killed, frozen, restarted, crowded, reached through a
pooler that is killed, or does not say whether it has committed, all under load.

Every answer that a client saw the end of is in the ledger, once; nobody with a known key is
refused meanwhile; and what control says reaches the gateways of both machines. `make test` takes
PostgreSQL away for 3.4 s each time, by a kill or a freeze; `make soak` in each way, for 60 s too.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from click import ClickException
from sqlalchemy import Engine, func, select
from tests.e2e.apart import LOOK_S, PATIENCE_S, PLAN, Load
from tests.e2e.machines import Machine, answer, told
from tests.gateway.rig import HELLO, until
from tests.gateway.spawned import ask, post
from tests.gateway.upstream import Upstream
from tests.pgbouncer import Bouncer, bouncing
from tests.postgres import Server
from tests.postgres_proxy import Proxy, doubtful
from tests.record.rig import ledger_ids

from tidegate.stores import database, postgres_engine, schema

pytestmark = pytest.mark.postgres

CLIENTS = 2
EX_CONFIG = 78
SEED = 20_264
STRANGER = "sk-tg-zzzzzzzz_" + "z" * 32

Away = Callable[[Server, float], Awaitable[None]]


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


async def crowded(server: Server, away_s: float) -> None:
    with server.crowded():
        await asyncio.sleep(away_s)


async def bounced(bouncer: Bouncer, _server: Server, away_s: float) -> None:
    bouncer.kill()
    await asyncio.sleep(away_s)
    await asyncio.to_thread(bouncer.start)


async def doubted(proxy: Proxy, _server: Server, away_s: float) -> None:
    """It is there all the time, and of half of all commits nobody learns what became of them."""
    proxy.doubt = 0.5
    await asyncio.sleep(away_s)
    proxy.doubt = 0.0
    print(f"\nseed {SEED}: of {proxy.done + proxy.undone} commits in doubt {proxy.done} were done")
    assert min(proxy.done, proxy.undone) > 3


async def refused(machine: Machine) -> None:
    """A key that nobody has seen cannot be checked: its holder is told that, not that it is bad."""
    reply = await ask(machine.gateway.address, post(STRANGER, HELLO))
    assert (reply.status, b"store_unavailable" in reply.raw) == (503, True), reply.raw


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
    *,
    reachable: bool = False,
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
        for machine in () if reachable else (one, other):
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
    print(f"\naway for {away_s:g} s: {len(acknowledged)} acknowledged, 0 lost")


SHORT_S = 3.4
LONG_S = 60.0


@pytest.fixture(params=[SHORT_S, pytest.param(LONG_S, marks=pytest.mark.soak)])
def away_s(request: pytest.FixtureRequest) -> float:
    """How long, in seconds."""
    asked: float = request.param
    return asked


WAYS = (killed, frozen, *(pytest.param(it, marks=pytest.mark.soak) for it in (restarted, crowded)))


@pytest.mark.parametrize("away", WAYS)
def test_nothing_is_lost_or_doubled_while_it_is_away(
    own: Server, tmp_path: Path, away: Away, away_s: float
) -> None:
    asyncio.run(taken_away(own, tmp_path, away, away_s))


def test_nothing_is_lost_or_doubled_where_nobody_knows_what_was_committed(
    own: Server, tmp_path: Path, away_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with doubtful(own.port, SEED) as proxy:
        monkeypatch.setenv("TIDEGATE_DATABASE", own.url("d1", proxy.port).reveal())
        away = partial(doubted, proxy)
        asyncio.run(taken_away(own, tmp_path, away, away_s, reachable=True))


@pytest.mark.pgbouncer
def test_nothing_is_lost_or_doubled_while_the_pooler_before_it_is_away(
    own: Server, tmp_path: Path, away_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bouncing(own, "session") as bouncer:
        monkeypatch.setenv("TIDEGATE_DATABASE", own.url("d1", bouncer.port).reveal())
        asyncio.run(taken_away(own, tmp_path, partial(bounced, bouncer), away_s))


async def filled(server: Server, folder: Path) -> None:
    engine = postgres_engine.open_engine(server.url("d1"))
    async with Upstream(answer) as up:
        small = PLAN.replace("segment: 64KiB", "segment: 64KiB, journal_max: 64KiB")
        one = Machine(folder / "one", up, None, small)
        await one.start()
        load = Load(one.gateway.address, await asyncio.to_thread(one.control.key))
        reply = await ask(one.gateway.address, post(load.key, HELLO))
        assert reply.status == 200, reply.raw
        server.kill()
        clients = [asyncio.create_task(load.run(n)) for n in range(CLIENTS)]
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: load.failed)
        await asyncio.to_thread(server.start)
        served = len(load.acknowledged)
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: len(load.acknowledged) > served + CLIENTS)
        load.stopped = True
        await asyncio.gather(*clients)
        assert all(b"ledger_unavailable" in answered for answered in load.failed)
        await recorded(engine, load.acknowledged)
        await one.end()
    engine.dispose()


def test_a_journal_that_is_full_refuses_new_work_until_it_is_recorded(
    own: Server, tmp_path: Path
) -> None:
    asyncio.run(filled(own, tmp_path))


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


async def refuses_to_share_sessions(folder: Path) -> None:
    async with Upstream(answer) as up:
        one = Machine(folder / "one", up, None)
        await one.control.start()
        assert await one.control.process.wait() == EX_CONFIG
        assert "set pool_mode = session for this database" in one.said()


@pytest.mark.pgbouncer
def test_behind_a_pooler_that_lends_sessions_control_refuses_to_start(
    own: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bouncing(own, "transaction") as bouncer:
        monkeypatch.setenv("TIDEGATE_DATABASE", own.url("d1", bouncer.port).reveal())
        asyncio.run(refuses_to_share_sessions(tmp_path))
