"""A counter that is new begins with what was spent before: once, whoever fills it."""

import asyncio
from pathlib import Path

import pytest
from tests.stores import redis_rig
from tests.stores.redis_kinds import KINDS
from tests.stores.redis_rig import DAY_S, Server, counters, day, run, until_ready, want

from tidegate.core import clock
from tidegate.core.limit import Calendar, Rolling
from tidegate.gateway.shared_limit import periods_around
from tidegate.stores import redis_learn
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Away, Quota, Refused, Taken, Unlearnt, Want

BUDGET = Quota("key:budget", Calendar(100, "day"), hard=True, learns=True)


async def used(store: RedisCounters, quota: Quota = BUDGET) -> int:
    answer = await store.read([want(quota)])
    assert isinstance(answer, list)
    return answer[0].used


async def learn(store: RedisCounters, amount: int, quota: Quota = BUDGET) -> bool:
    nonce = await store.begin(want(quota))
    return nonce is not None and await store.fill(want(quota), nonce, [(clock.wall_s(), amount)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_nobody_takes_of_it_before_its_past_is_in_it(kind: str, mode: str, tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode=mode) as store:
            both = [want(Quota("plain", Calendar(9, "day"))), want(BUDGET, 10)]
            assert await store.take("r1", both) == Unlearnt(1)
            assert await store.read(both) == Unlearnt(1)
            assert await learn(store, 90)
            assert isinstance(await store.take("r2", both), Taken)
            assert isinstance(await store.take("r3", [want(BUDGET, 1)]), Refused)
            assert not await learn(store, 90), "it is known"
            await store.drain()
            assert (await used(store), await used(store, both[0].quota)) == (100, 1)

    with redis_rig.serving(kind, tmp_path) as server:
        run(main(server))


def test_of_several_who_ask_one_fills(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, "a") as one, counters(server.address, "b") as two:
            await one.take("r", [want(BUDGET)])
            nonce = await one.begin(want(BUDGET))
            assert nonce is not None
            assert await two.begin(want(BUDGET)) is None
            assert not await two.fill(want(BUDGET), "another", [(clock.wall_s(), 70)])
            assert await two.take("r", [want(BUDGET)]) == Unlearnt(0)
            assert await one.fill(want(BUDGET), nonce, [(clock.wall_s(), 60)])
            await one.fill(want(BUDGET), nonce, [(clock.wall_s(), 60)])  # said twice, done once
            assert [await used(one), await used(two)] == [60, 60]

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_who_never_fills_is_succeeded_and_then_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(server: Server) -> None:
        monkeypatch.setattr(redis_learn, "FILL_S", 0.05)
        async with counters(server.address, "a") as one, counters(server.address, "b") as two:
            await one.take("r", [want(BUDGET)])
            late = await one.begin(want(BUDGET))
            assert late is not None
            while (nonce := await two.begin(want(BUDGET))) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert not await one.fill(want(BUDGET), late, [(clock.wall_s(), 10)])
            assert await two.fill(want(BUDGET), nonce, [(clock.wall_s(), 20)])
            assert await used(one) == 20

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_after_a_flush_what_is_held_counts_beside_what_the_ledger_has(
    mode: str, tmp_path: Path
) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address, mode=mode) as store:
            await store.take("r0", [want(BUDGET)])
            await learn(store, 0)
            settled = await store.take("r1", [want(BUDGET, 20)])
            held = await store.take("r2", [want(BUDGET, 30)])
            assert isinstance(settled, Taken) and isinstance(held, Taken)
            server.say("FLUSHALL")
            assert isinstance(await store.take("r3", [want(BUDGET, 90)]), Away)
            await until_ready(store)
            store.give_back(settled, [20])  # the ledger has it by now
            while server.say("EXISTS", _key(store)) != b":1\r\n":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await store.drain() if mode == "exact" else await _told(store)
            assert await store.take("r4", [want(BUDGET, 1)]) == Unlearnt(0)
            assert await learn(store, 20)
            assert await used(store) == 50
            store.give_back(held, [5])
            await store.drain()
            assert await used(store) == 25

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def _key(store: RedisCounters) -> str:
    return f"tidegate:{{a}}:{store._epoch.name}:key%3Abudget:c:team=a"


async def _told(store: RedisCounters) -> None:
    """What is held lies in Redis, and nothing is on its way."""
    while len(store._settling):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def test_what_was_spent_in_a_window_lies_where_it_was_spent(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("key:budget", Rolling(100, 3_600.0, 60, wall=True), hard=True, learns=True)
        now_s = clock.wall_s()
        past = [
            (now_s - age_s, amount) for amount, age_s in [(30, 7_200.0), (20, 3_000.0), (10, 60.0)]
        ]
        async with counters(server.address) as store:
            one = Want(quota, "s", 75, "a")
            await store.take("r", [one])
            nonce = await store.begin(one)
            assert nonce is not None
            assert await store.fill(one, nonce, past)
            answer = await store.read([one])
            assert isinstance(answer, list)
            assert answer[0].used == 30
            assert answer[0].retry_s is not None
            assert 600.0 <= answer[0].retry_s <= 662.0, "when the twenty have left it"

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_what_was_spent_in_a_period_that_is_over_does_not_come_into_the_next(
    tmp_path: Path,
) -> None:
    async def main(server: Server) -> None:
        async with counters(server.address) as store:
            yesterday = Want(BUDGET, "s", 1, "a", tuple(at - DAY_S for at in day()))  # type: ignore[arg-type]
            await store.take("r", [yesterday])
            nonce = await store.begin(yesterday)
            assert nonce is not None
            assert await store.fill(yesterday, nonce, [(clock.wall_s() - DAY_S, 50)])
            answer = await store.read([Want(BUDGET, "s", 1, "a", day())])
            assert isinstance(answer, list)
            assert answer[0].used == 0

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))


def test_a_lifetime_is_learnt_and_never_ends(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        quota = Quota("key:budget", Calendar(100, "lifetime"), hard=True, learns=True)
        periods = periods_around(Calendar(100, "lifetime"), clock.wall_s())
        async with counters(server.address) as store:
            one = Want(quota, "s", 40, "a", periods)
            assert await store.take("r1", [one]) == Unlearnt(0)
            nonce = await store.begin(one)
            assert nonce is not None
            assert await store.fill(one, nonce, [(1.0, 30), (clock.wall_s(), 20)])
            assert isinstance(await store.take("r2", [one]), Taken)
            assert isinstance(await store.take("r3", [one]), Refused)

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))
