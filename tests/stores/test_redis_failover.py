"""A replica that lost the last writes takes over; the network loses parts; clocks disagree."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.gateway.shared import in_force
from tests.stores.redis_rig import (
    DAY_S,
    Network,
    Server,
    budget,
    counters,
    free_port,
    run,
    serving,
    until_ready,
    want,
)

from tidegate.core import clock
from tidegate.core.limit import Bucket
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Away, Quota, Refused, Taken, Want

LIMIT = budget(100)
AHEAD_DAYS = 40
CALLERS, ENOUGH = 8, 400


async def used(store: RedisCounters, quota: Quota = LIMIT) -> int:
    answer = await store.read([want(quota)])
    assert isinstance(answer, list)
    return answer[0].used


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_a_replica_that_lost_the_last_writes_is_not_believed(mode: str, tmp_path: Path) -> None:
    (there := tmp_path / "b").mkdir()
    port = free_port()

    async def main(primary: Server, replica: Server) -> None:
        replica.say("REPLICAOF", "127.0.0.1", str(port))
        network = Network(primary, tmp_path / "n.sock")
        async with network.up(), counters(network.address, mode=mode) as store:
            assert isinstance(await store.take("r1", [want(LIMIT, 10)]), Taken)
            while b"epoch" not in replica.say("KEYS", "tidegate:{a}:epoch*"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            replica.say("REPLICAOF", "NO", "ONE")  # what comes now it never hears of
            late = await store.take("r2", [want(LIMIT, 80)])
            assert isinstance(late, Taken)
            network.server = replica
            primary.kill()
            while not store.unseeded:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert replica.say("DBSIZE") != b":0\r\n", "it has what was written before"
            assert isinstance(await store.take("r3", [want(LIMIT, 20)]), Away)
            await until_ready(store, [want(LIMIT, 5)])
            while await used(store) != 95:  # noqa: ASYNC110 - what is held, and the ledger's
                await asyncio.sleep(0.01)
            assert isinstance(await store.take("r4", [want(LIMIT, 6)]), Refused)

    with (
        serving("valkey", tmp_path, port=port) as primary,
        serving("valkey", there, port=free_port()) as replica,
    ):
        run(main(primary, replica))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_where_one_part_in_twenty_is_lost_nothing_is_counted_twice_or_lost(
    mode: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        network, quota = Network(server, tmp_path / "n.sock"), Quota("soft", Bucket(1e-6, 100_000))
        counted = passed = 0
        async with network.up(), counters(network.address, mode=mode, deadline_s=0.02) as store:
            network.lost_share = 0.05

            async def caller(name: int) -> None:
                nonlocal counted, passed
                n = 0
                while counted < ENOUGH:
                    n += 1
                    taken = await store.take(f"r{name}.{n}", [want(quota, 30)])
                    assert isinstance(taken, Taken), "no soft limit refuses for it"
                    counted += taken.tickets[0] is not None
                    passed += taken.tickets[0] is None
                    await asyncio.sleep(0.002)
                    store.give_back(taken, [1])

            await asyncio.gather(*(caller(name) for name in range(CALLERS)))
            network.lost_share = 0.0
            await until_ready(store)
            await store.drain()
            print(f"\n{mode}: {counted} counted, {passed} passed uncounted")
            assert await used(store, quota) == counted

    with serving("valkey", tmp_path) as server:
        run(main(server))


def wanting(store: RedisCounters) -> Callable[[int], Want]:
    """What requests want of a budget by the month, as the gateway reckons it."""
    shared = in_force(Limit("ours", "spend", 100, ("team",), unit="month")).shared
    assert shared is not None
    receipt = Receipt("r", 0.0, "g", "chat", team="a")
    return lambda amount: shared.want("a", amount, receipt, store.wall_s())


def test_a_gateway_whose_clock_is_months_ahead_counts_in_the_server_s_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, "right") as right:
            assert isinstance(await right.take("r1", [wanting(right)(100)]), Taken)
            wall_s = clock.wall_s
            monkeypatch.setattr(clock, "wall_s", lambda: wall_s() + 100 * DAY_S)
            async with counters(server.address, "ahead") as ahead:
                assert isinstance(await ahead.take("r2", [wanting(ahead)(1)]), Refused)
                assert isinstance(await right.take("r3", [wanting(right)(1)]), Refused)

    with serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.faketime
def test_a_server_whose_clock_is_ahead_of_every_gateway_s_is_the_only_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, "one") as one, counters(server.address, "two") as two:
            assert AHEAD_DAYS - 1 < (one.wall_s() - clock.wall_s()) / DAY_S < AHEAD_DAYS + 1
            assert wanting(one)(1).periods == wanting(two)(1).periods
            assert isinstance(await one.take("r1", [wanting(one)(60)]), Taken)
            assert isinstance(await two.take("r2", [wanting(two)(40)]), Taken)
            assert isinstance(await one.take("r3", [wanting(one)(1)]), Refused)
            rate = Quota("rate", Bucket(1e-6, 3))
            answers = [await one.take(f"s{n}", [want(rate)]) for n in range(4)]
            assert [type(answer) for answer in answers] == [Taken] * 3 + [Refused]

    monkeypatch.setitem(os.environ, "FAKETIME_DONT_FAKE_MONOTONIC", "1")
    ahead = ("faketime", "-f", f"+{AHEAD_DAYS}d")
    with serving("valkey", tmp_path, under=ahead) as server:
        run(main(server))
