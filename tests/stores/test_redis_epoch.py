"""A server that has lost its counters admits nothing until they are filled again."""

import asyncio
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_fleet import fleet
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Server, budget, counters, run, until_ready, want

from tidegate.core import clock
from tidegate.core.limit import Gauge, Rolling
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Away, Quota, Refused, Taken, Want

LIMIT = budget(100)


async def used(store: RedisCounters) -> int:
    (reading,) = await store.read([want(LIMIT)])
    return reading.used


async def gone(store: RedisCounters) -> None:
    while store.available:  # noqa: ASYNC110
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_after_a_flush_nothing_is_admitted_until_the_ledger_has_spoken(
    mode: str, kind: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode=mode) as store:
            taken = await store.take("r1", [want(LIMIT, 90)])
            assert isinstance(taken, Taken)
            store.give_back(taken, [90])
            await store.drain()
            server.say("FLUSHALL")
            assert isinstance(await store.take("r2", [want(LIMIT, 90)]), Away)
            assert store.unseeded
            await until_ready(store, [want(LIMIT, 90)])
            assert isinstance(await store.take("r3", [want(LIMIT, 11)]), Refused)
            assert isinstance(await store.take("r4", [want(LIMIT, 10)]), Taken)

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_what_requests_hold_when_it_is_flushed_is_held_again(mode: str, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("at once", Gauge(10), hard=True)
        async with counters(server.address, mode=mode) as store:
            taken = await store.take("r1", [want(quota, 8)])
            assert isinstance(taken, Taken)
            server.say("FLUSHALL")
            assert isinstance(await store.take("r2", [want(quota, 8)]), Away)
            await until_ready(store)
            while (await store.read([want(quota)]))[0].used != 8:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert isinstance(await store.take("r3", [want(quota, 8)]), Refused)
            store.give_back(taken, [0])
            await store.drain()
            assert (await store.read([want(quota)]))[0].used == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_an_old_snapshot_is_not_believed(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address) as store:
            assert isinstance(await store.take("r1", [want(LIMIT, 10)]), Taken)
            server.say("SAVE")
            assert isinstance(await store.take("r2", [want(LIMIT, 80)]), Taken)
            server.kill()
            await gone(store)
            server.start()
            assert server.say("DBSIZE") != b":0\r\n", "the snapshot is there"
            while not store.unseeded:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            assert isinstance(await store.take("r3", [want(LIMIT, 10)]), Away)
            await until_ready(store, [want(LIMIT, 5)])
            while await used(store) != 95:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_many_at_once_are_the_first_of_their_team(mode: str, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode=mode) as store:
            for team in ("x", "y"):
                wants = [want(LIMIT, 1, team, team)]
                answers = await asyncio.gather(*(store.take(f"{team}{n}", wants) for n in range(9)))
                assert {type(one) for one in answers} == {Taken}

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_team_whose_counters_are_lost_alone_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address) as store:
            assert isinstance(await store.take("r1", [want(LIMIT, 90)]), Taken)
            server.say("DEL", "tidegate:{a}:epoch")
            assert isinstance(await store.take("r2", [want(LIMIT, 90)]), Away)
            assert store.unseeded

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_others_learn_of_a_new_epoch_by_themselves(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, "a") as one, counters(server.address, "b") as two:
            server.say("FLUSHALL")
            assert isinstance(await one.take("r1", [want(LIMIT)]), Away)
            assert isinstance(await two.take("r1", [want(LIMIT)]), Away)
            await until_ready(one, [want(LIMIT, 40)])
            while not two.available:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert [await used(one), await used(two)] == [40, 40]
            assert isinstance(await two.take("r2", [want(LIMIT, 60)]), Taken)
            assert isinstance(await one.take("r2", [want(LIMIT, 1)]), Refused)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_window_is_filled_with_what_was_spent_when_it_was(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("rolling", Rolling(100, 3_600.0, 60))
        now_s = clock.wall_s()
        past = [(30, 7_200.0), (20, 3_000.0), (10, 600.0), (5, -60.0)]
        rows = [Want(quota, "s", amount, "a", at_s=now_s - age_s) for amount, age_s in past]
        async with counters(server.address) as store:
            server.say("FLUSHALL")
            assert isinstance(await store.take("r1", [want(LIMIT)]), Away)
            await until_ready(store, rows)
            (reading,) = await store.read([Want(quota, "s", 75, "a")])
            assert reading.used == 35
            assert reading.retry_s is not None
            assert 600.0 <= reading.retry_s <= 661.0 + 1.0, "when the twenty have left it"

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_who_fills_too_slowly_has_not_filled(tmp_path: Path) -> None:
    """Its lock has ended and another one's counters are in force: they stay."""

    async def main(server: Server) -> None:
        async with counters(server.address, "a") as one, counters(server.address, "b") as two:
            server.say("FLUSHALL")
            await one.take("r", [want(LIMIT)])
            await two.take("r", [want(LIMIT)])

            async def slowly() -> Iterable[Want]:
                server.say("DEL", "tidegate:epoch:lock")  # as time does
                assert await two.seed(2, quickly)
                return [want(LIMIT, 1)]

            async def quickly() -> Iterable[Want]:
                return [want(LIMIT, 70)]

            assert not await one.seed(3, slowly)
            assert [await used(one), await used(two)] == [70, 70]

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_nobody_fills_what_is_good(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async def never() -> Iterable[Want]:
            raise AssertionError

        async with counters(server.address) as store:
            assert not await store.seed(9, never)
            server.say("FLUSHALL")
            await store.take("r", [want(LIMIT)])
            server.say("SET", "tidegate:epoch:lock", "another")
            assert not await store.seed(9, never)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_who_could_not_fill_keeps_nobody_from_it(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async def busy() -> Iterable[Want]:
            raise OSError("the ledger is busy")

        async def rows() -> Iterable[Want]:
            return [want(LIMIT, 70)]

        async with counters(server.address) as store:
            server.say("FLUSHALL")
            await store.take("r", [want(LIMIT)])
            with pytest.raises(OSError, match="busy"):
                await store.seed(2, busy)
            assert await store.seed(3, rows)
            assert await used(store) == 70

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_who_is_long_about_it_holds_the_lock_all_the_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tidegate.stores.redis_epoch._RENEW_S", 0.01)

    async def main(server: Server) -> None:
        async def slowly() -> Iterable[Want]:
            server.say("PEXPIRE", "tidegate:epoch:lock", "5000")
            while int(server.say("PTTL", "tidegate:epoch:lock")[1:]) <= 5_000:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            return [want(LIMIT, 70)]

        async with counters(server.address) as store:
            server.say("FLUSHALL")
            await store.take("r", [want(LIMIT)])
            assert await store.seed(2, slowly)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_of_several_processes_one_reads_the_ledger(tmp_path: Path) -> None:
    with (
        redis_rig.serving("valkey", tmp_path) as server,
        fleet(server.socket, 4, "exact") as gateways,
    ):
        server.say("FLUSHALL")
        gateways.do("once", 1, 1)
        asked = gateways.do("seed", [600, 601, 602, 603], 0.3)
        assert sum(one["asked"] for one in asked) == 1
        filled = 600 + [one["asked"] for one in asked].index(True)

        async def read() -> None:
            async with counters(server.address) as store:
                (reading,) = await store.read([want(budget(1_000))])
                assert reading.used == filled

        run(read())


def test_a_life_of_the_server_ends_with_a_stop_and_not_with_a_pause(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, deadline_s=0.1) as store:
            assert isinstance(await store.take("r1", [want(LIMIT, 60)]), Taken)
            server.signal(signal.SIGSTOP)
            await gone(store)
            server.signal(signal.SIGCONT)
            while not store.available:
                assert not store.unseeded
                await asyncio.sleep(0.005)
            assert await used(store) == 60

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))
