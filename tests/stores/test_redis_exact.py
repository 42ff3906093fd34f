import asyncio
import random
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import Server, budget, counters, run, want

from tidegate.core.limit import GAUGE_RETRY_S, Bucket, Gauge, Reading, Shape
from tidegate.stores import redis_exact
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Quota, Refused, Taken

TEAM = budget(100)
EVERYBODY = budget(50, "everybody")


async def used(store: RedisCounters, quota: Quota = TEAM, group: str | None = "a") -> int:
    (reading,) = await store.read([want(quota, 1, "s", group)])
    return reading.used


@pytest.mark.parametrize("kind", KINDS)
def test_a_hold_becomes_what_was_used(kind: str, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address) as store:
            taken = await store.take("r1", [want(TEAM, 60, "s")])
            assert isinstance(taken, Taken)
            (reading,) = taken.readings
            assert reading is not None
            assert (reading.used, reading.allowed) == (60, 100)
            store.give_back(taken, [10])
            store.give_back(taken, [10])
            await store.drain()
            assert await used(store) == 10

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_a_refusal_says_which_how_much_and_when(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("at once", Gauge(3), lease_s=9.0)
        async with counters(server.address) as store:
            assert isinstance(await store.take("r1", [want(quota, 2)]), Taken)
            refused = await store.take("r2", [want(TEAM, 1), want(quota, 2)])
            assert refused == Refused(1, Reading(2, 3, None, GAUGE_RETRY_S))
            never = await store.take("r3", [want(TEAM, 101)])
            assert isinstance(never, Refused)
            assert never.reading.retry_s is None

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_of_those_without_room_the_one_that_takes_longest_speaks(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        brief, long = (Quota(name, Bucket(rate, 1)) for name, rate in (("b", 0.1), ("l", 0.01)))
        three = [want(brief), want(long), want(Quota("at once", Gauge(1)))]
        async with counters(server.address) as store:
            assert isinstance(await store.take("r1", three), Taken)
            refused = await store.take("r2", three)
            assert isinstance(refused, Refused)
            assert refused.index == 1
            never = await store.take("r3", [*three, want(TEAM, 101), want(long)])
            assert isinstance(never, Refused)
            assert never.index == 3

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_others_share_is_taken_last_and_its_refusal_leaves_nothing(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        both = [want(EVERYBODY, 30, "s", None), want(TEAM, 30, "s")]
        async with counters(server.address) as store:
            first = await store.take("r1", both)
            assert isinstance(first, Taken)
            assert [one and one.allowed for one in first.readings] == [50, 100]
            refused = await store.take("r2", both)
            assert isinstance(refused, Refused)
            assert refused.index == 0
            await store.drain()
            assert (await used(store), await used(store, EVERYBODY, None)) == (30, 30)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("shape", [TEAM.shape, Gauge(100)])
def test_what_nobody_gives_back_is_free_after_its_lease(shape: Shape, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("spend", shape, hard=True, lease_s=0.2)
        async with counters(server.address) as store:
            late = await store.take("r1", [want(quota, 100, "s")])
            assert isinstance(late, Taken)
            assert isinstance(await store.take("r2", [want(quota, 1, "s")]), Refused)
            while await used(store, quota):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert isinstance(await store.take("r3", [want(quota, 100, "s")]), Taken)
            store.give_back(late, [100])
            await store.drain()

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_costs_nothing_is_taken_of_a_spent_budget(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address) as store:
            assert isinstance(await store.take("r1", [want(TEAM, 100, "s")]), Taken)
            free = await store.take("r2", [want(TEAM, 0, "s")])
            assert isinstance(free, Taken)
            store.give_back(free, [5])
            await store.drain()
            assert await used(store) == 105

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_whoever_is_cancelled_at_whatever_await_has_taken_nothing(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        drawn, both = random.Random(3), [want(TEAM, 1, "s"), want(EVERYBODY, 1, "s", None)]
        kept = 0
        async with counters(server.address) as store:
            for n in range(200):
                taking = asyncio.ensure_future(store.take(f"r{n}", both))
                await asyncio.sleep(drawn.random() * 0.004)
                taking.cancel()
                ended = (await asyncio.gather(taking, return_exceptions=True))[0]
                if isinstance(ended, Taken):
                    store.give_back(ended, [0, 0])
                    kept += 1
            await store.drain()
            assert (await used(store), await used(store, EVERYBODY, None)) == (0, 0)
            assert 0 < kept < 200

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_of_a_gauge_what_is_held_is_renewed_until_it_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(server: Server) -> None:
        lease_s = 30.0
        gauge, bucket = Quota("at once", Gauge(9), lease_s=lease_s), Quota("rate", Bucket(1.0, 9))
        async with counters(server.address) as store:
            key = f"tidegate:{{a}}:{store._epoch.name}:{gauge.key}:s:leases"

            def ends() -> float:
                return float(server.say("ZSCORE", key, "r1").split(b"\r\n")[1] or 0)

            taken = await store.take("r1", [want(gauge, 1, "s"), want(bucket)])
            assert isinstance(taken, Taken)
            first = ends()
            assert await used(store, gauge) == 1
            await store._exact.tell()
            assert len(store._settling) == 0, "it is not due"
            monkeypatch.setattr(redis_exact, "RENEWED_AFTER", 0.0)
            store._exact._renewed["r1"].due_s = 0.0
            await store._exact.tell()
            await store._exact.tell()
            assert len(store._settling) == 1, (
                "of the gauge alone, and not again before that arrived"
            )
            while len(store._settling):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            assert ends() > first
            await store._exact.tell()
            store.give_back(taken, [0, 1])
            await store._exact.tell()
            await store.drain()
            assert ends() == 0
            assert await used(store, gauge) == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_is_given_back_while_others_are_renewed_is_not_held_again(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        gauge = Quota("at once", Gauge(1_000), lease_s=30.0)
        async with counters(server.address) as store:
            taken = [await store.take(f"r{n}", [want(gauge, 1, "s")]) for n in range(100)]
            for it in store._exact._renewed.values():
                it.due_s = 0.0
            telling = asyncio.ensure_future(store._exact.tell())
            await asyncio.sleep(0)
            assert 0 < len(store._settling) < 100
            assert await used(store, gauge) == 100
            for one in taken:
                assert isinstance(one, Taken)
                store.give_back(one, [0])
            await telling
            await store.drain()
            assert await used(store, gauge) == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))
