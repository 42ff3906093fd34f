import asyncio
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_rig import Server, budget, counters, run, want

from tidegate.core.limit import Bucket, Rolling, Shape
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Quota, Refused, Taken

BIG = budget(10_000)


async def used(store: RedisCounters, quota: Quota = BIG) -> int:
    (reading,) = await store.read([want(quota)])
    return reading.used


def asked(server: Server) -> int:
    """Scripts that the server has run."""
    text = server.say("INFO", "commandstats").decode()
    lines = [line for line in text.splitlines() if line.startswith("cmdstat_evalsha:")]
    return int(lines[0].partition("calls=")[2].partition(",")[0]) if lines else 0


def test_what_is_in_hand_is_taken_without_a_wait(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            await store.take("r0", [want(BIG)])
            for n in range(100):
                with pytest.raises(StopIteration) as done:
                    store.take(f"r{n}", [want(BIG)]).send(None)
                assert isinstance(done.value.value, Taken)
            assert await used(store) == 101

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_slice_is_taken_when_too_little_is_in_hand_and_that_goes_back(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            await store.take("r0", [want(BIG, 60)])
            assert await used(store) == 160
            await store.take("r1", [want(BIG, 90)])
            assert await used(store) == 160
            await store.take("r2", [want(BIG, 90)])
            assert await used(store) == 60 + 90 + 90 + 100

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_was_held_and_not_used_is_not_kept_where_it_is_much_more_than_a_slice(
    tmp_path: Path,
) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            taken = await store.take("r0", [want(BIG, 5_000)])
            assert isinstance(taken, Taken)
            store.give_back(taken, [30])
            while len(store._settling):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            assert await used(store) == 30 + 100

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_it_is_exact_when_the_rest_would_not_give_every_gateway_a_slice(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            await store.take("r0", [want(BIG, 9_900)])
            before = asked(server)
            for n in range(5):
                taken = await store.take(f"s{n}", [want(BIG, 20)])
                assert isinstance(taken, Taken)
            assert asked(server) - before == 5
            assert await used(store) == 10_000
            refused = await store.take("s9", [want(BIG)])
            assert isinstance(refused, Refused)
            assert (refused.reading.used, refused.reading.allowed) == (10_000, 10_000)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_all_or_none_across_teams_and_what_others_share(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        shared = budget(10, "everybody")
        async with counters(server.address, mode="slice") as store:
            await store.take("r0", [want(BIG)])
            refused = await store.take("r1", [want(BIG, 50), want(shared, 11, "", None)])
            assert isinstance(refused, Refused)
            assert refused.index == 1
            taken = await store.take("r2", [want(BIG, 100), want(shared, 10, "", None)])
            assert isinstance(taken, Taken)
            assert [one.used for one in await store.read([want(shared, 1, "", None)])] == [10]

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_is_drained_leaves_what_was_used(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            for n in range(30):
                taken = await store.take(f"r{n}", [want(BIG, 30)])
                assert isinstance(taken, Taken)
                store.give_back(taken, [n])
            await store.drain()
            assert await used(store) == sum(range(30))
            assert store.gauges()["tidegate_limits_slices"] == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_drain_beside_the_tick(tmp_path: Path) -> None:
    """With so many slices that each gives others a turn between."""

    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            wants = [want(BIG, 1, f"key={n}") for n in range(1_200)]
            taken = [await store.take(f"r{n}", [one]) for n, one in enumerate(wants)]
            for one in taken:
                assert isinstance(one, Taken)
                store.give_back(one, [1])
            await asyncio.gather(store.drain(), store.drain(), store.drain())
            assert {one.used for one in await store.read(wants[:50])} == {1}

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_who_is_cancelled_while_it_asks_has_taken_nothing(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode="slice") as store:
            for steps in range(6):
                asking = asyncio.ensure_future(store.take(f"r{steps}", [want(BIG, 500)]))
                for _ in range(steps):
                    await asyncio.sleep(0)
                asking.cancel()
                ended = (await asyncio.gather(asking, return_exceptions=True))[0]
                if isinstance(ended, Taken):
                    store.give_back(ended, [0])
            await store.drain()
            assert await used(store) == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("shape", [Bucket(1e-6, 1_000), Rolling(1_000, 3_600.0)])
def test_of_other_shapes_too_only_what_was_used_stays(shape: Shape, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("l", shape)
        async with counters(server.address, mode="slice") as store:
            for n in range(50):
                taken = await store.take(f"r{n}", [want(quota, 100)])
                assert isinstance(taken, Taken)
                store.give_back(taken, [7])
            await store.drain()
            assert await used(store, quota) == 350

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_costs_nothing_is_taken_of_a_spent_budget_and_counts_in_the_end(
    tmp_path: Path,
) -> None:
    async def main(server: Server) -> None:
        quota = budget(10)
        async with counters(server.address, mode="slice") as store:
            assert isinstance(await store.take("r0", [want(quota, 10)]), Taken)
            free = await store.take("r1", [want(quota, 0)])
            assert isinstance(free, Taken)
            store.give_back(free, [3])
            await store.drain()
            assert await used(store, quota) == 13

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))
