"""A concurrency that a new plan brings counts what is being served already."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.limited import left, limit
from tests.gateway.rig import gateway, plan_of, run, target, until
from tests.gateway.shared import FakeCounters, in_force, store_of
from tests.gateway.upstream import Upstream, stalling, whole

from tidegate.core.feed import Entry, KeyChanged
from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Limit, Queueing
from tidegate.core.receipt import Receipt
from tidegate.gateway.held_late import hold_late
from tidegate.gateway.holding import moment
from tidegate.gateway.progress import Progress
from tidegate.gateway.shared_hold import settle_shared
from tidegate.stores.errors import StoreError

AT_ONCE = limit("concurrency", 3, scope=("team",))
OTHERS = Limit("others", "concurrency", 3, ("team",), (("team", "team-b"),))
OF_MODEL = Limit("of-model", "concurrency", 3, ("model",))
RATE = Limit("rate", "requests", 1_000, ("key",), per_s=60.0)


@pytest.mark.parametrize("before", [(), (RATE,)])
def test_what_is_served_as_it_begins_is_held_of_it_once_and_given_back(
    before: tuple[Limit, ...], tmp_path: Path
) -> None:
    async def main() -> None:
        async with (
            Upstream(stalling(None)) as up,
            gateway(tmp_path, target(up.port), limits=before) as it,
        ):
            asking = [asyncio.ensure_future(it.ask()) for _ in range(2)]
            await up.arrived(2)
            up.script = whole()
            for version in (2, 3):
                limits = (*before, AT_ONCE, OTHERS, OF_MODEL)
                plan = plan_of(target(up.port), version=version, limits=limits)
                assert await it.obey(plan)
                assert left(it, "the-concurrency", "team-a") == 1
                assert left(it, "of-model", "served-model") == 1
                assert left(it, "others", "team-b") == 3
            assert (await it.ask()).status == 200
            for exchange in up.exchanges[:2]:
                exchange.transport.abort()
            await asyncio.gather(*asking)
            await until(lambda: len(it.receipts()) == 3)
            assert left(it, "the-concurrency", "team-a") == 3
            held = {hold.limit for hold in it.receipts()[-1].holds}
            assert held == {"the-concurrency", "of-model", *(one.name for one in before)}

    run(main())


def test_who_waits_in_line_for_the_target_is_held_of_it_too(tmp_path: Path) -> None:
    """Of a plan's and of a key's, which begin while it waits."""

    async def main() -> None:
        async with Upstream(stalling(None)) as up:
            narrow = target(up.port, queueing=Queueing(max_in_flight=1, max_wait_s=100.0))
            async with gateway(tmp_path, narrow) as it:
                key = it.store.add()
                *_, record = it.store.rows.values()
                asking = [asyncio.ensure_future(it.ask())]
                await up.arrived()
                own = {"authorization": f"Bearer {key}"}
                asking += [asyncio.ensure_future(it.ask(headers=by)) for by in (None, own)]
                ((_, places),) = it.world.queues
                await until(lambda: places.line.count == 2)
                assert await it.obey(plan_of(narrow, version=2, limits=(AT_ONCE, OF_MODEL)))
                assert left(it, "the-concurrency", "team-a") == 0
                assert left(it, "of-model", "served-model") == 0
                changed = replace(record, limits=KeyLimits(max_parallel_requests=3))
                it.store.rows[record.id] = changed
                await it.feed.apply(Entry(1, KeyChanged(record.id)))
                await until(lambda: not it.feed._holding)
                assert it.world.plan is not None
                (mine,) = it.world.plan.limits.of_key(changed)
                assert mine.counters is not None
                assert mine.counters.read(record.id, 0, moment()).used == 1
                asking.pop().cancel()
                await until(lambda: left(it, "the-concurrency", "team-a") == 1)
                assert len(mine.counters) == 0
                up.script = whole()
                up.exchanges[0].transport.abort()
                await asyncio.gather(*asking)
                assert left(it, "the-concurrency", "team-a") == 3
                assert left(it, "of-model", "served-model") == 3

    run(main())


def test_it_holds_also_more_than_it_allows_and_then_nobody_comes_in(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(None)) as up, gateway(tmp_path, target(up.port)) as it:
            asking = [asyncio.ensure_future(it.ask()) for _ in range(2)]
            await up.arrived(2)
            up.script = whole()
            one = limit("concurrency", 1, scope=("team",))
            assert await it.obey(plan_of(target(up.port), version=2, limits=(one,)))
            for exchange in up.exchanges[:2]:
                assert (await it.ask()).code == "concurrency_limit_exceeded"
                exchange.transport.abort()
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*asking)
            assert (await it.ask()).status == 200

    run(main())


@pytest.mark.parametrize("before", [None, KeyLimits(max_parallel_requests=9)])
def test_what_a_key_has_in_flight_is_held_once_of_a_concurrency_that_it_brings(
    before: KeyLimits | None, tmp_path: Path
) -> None:
    """Also where it brought another one before, of which it is held already."""

    async def main() -> None:
        async with Upstream(stalling(None)) as up, gateway(tmp_path, target(up.port)) as it:
            key = it.store.add(limits=before)
            *_, record = it.store.rows.values()
            own = {"authorization": f"Bearer {key}"}
            asking = [asyncio.ensure_future(it.ask(headers=own)) for _ in range(2)]
            others = asyncio.ensure_future(it.ask())
            await up.arrived(3)
            up.script = whole()
            changed = replace(record, limits=KeyLimits(max_parallel_requests=3))
            it.store.rows[record.id] = changed
            for seq in (1, 2):
                await it.feed.apply(Entry(seq, KeyChanged(record.id)))
                await until(lambda: not it.feed._holding)
            assert (await it.ask(headers=own)).status == 200
            assert it.world.plan is not None
            (mine,) = it.world.plan.limits.of_key(changed)
            assert mine.counters is not None
            assert mine.counters.read(record.id, 0, moment()).used == 2
            for exchange in up.exchanges[:3]:
                exchange.transport.abort()
            await asyncio.gather(*asking, others)
            assert len(mine.counters) == 0

    run(main())


def test_a_key_that_cannot_be_read_now_holds_up_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Upstream(stalling(None)) as up, gateway(tmp_path, target(up.port)) as it:
            asking = asyncio.ensure_future(it.ask())
            await up.arrived()
            it.store.error = StoreError("away")
            (key_id,) = it.store.rows
            await it.feed.apply(Entry(1, KeyChanged(key_id)))
            await until(lambda: not it.feed._holding)
            up.exchanges[0].transport.abort()
            assert (await asking).status == 502

    run(main())


def test_where_several_gateways_count_it_is_held_there() -> None:
    counters = FakeCounters()
    store = store_of(counters)
    begun = (in_force(AT_ONCE, store), in_force(OTHERS, store), in_force(RATE, store))
    receipt = Receipt("r", 1.0, "g", "chat", team="team-a", key_id="k")
    progress = Progress(receipt, None, 0.0, lambda: None)  # type: ignore[arg-type]
    hold_late(begun, [progress], moment())
    assert [(id, wants[0].scope) for id, wants in counters.asked] == [("r/late.0", "team-a")]
    assert store.in_use == 1
    assert progress.late is not None
    settle_shared(progress.late.shared, receipt, True)
    settle_shared(progress.late.shared, receipt, True)
    assert [used for _, used in counters.given] == [[0]]
    assert (store.in_use, [hold.limit for hold in receipt.holds]) == (0, ["the-concurrency"])


def test_a_shared_one_that_comes_again_for_another_scope_is_held_apart_from_the_first() -> None:
    """Holds are told apart by their ids: ending one must not end the other in its place."""
    counters = FakeCounters()
    store = store_of(counters)
    receipt = Receipt("r", 1.0, "g", "chat", team="team-a", key_id="k")
    progress = Progress(receipt, None, 0.0, lambda: None)  # type: ignore[arg-type]
    for scope in ("team", "key"):
        again = limit("concurrency", 3, scope=(scope,))
        hold_late((in_force(again, store),), [progress], moment())
    assert len({id for id, _ in counters.asked}) == 2
