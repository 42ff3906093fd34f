"""What is invalidated is given to nobody who comes after, in flight or kept."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.cached import ASK, House, either, house, keeping
from tests.gateway.rig import plan_of, run, target, until
from tests.gateway.upstream import Exchange, answer_bytes

from tidegate.core.cache_labels import EVERYTHING, Labels, Selector
from tidegate.core.feed import AnswersInvalidated, Entry, Forget, Invalidation
from tidegate.core.kept_answer import KeptAnswer
from tidegate.gateway.invalidations import MOST_KNOWN, Invalidations
from tidegate.stores.memory_answers import MemoryAnswers


def marked(it: House, **headers: str) -> dict[str, str]:
    told = {f"x-tidegate-cache-{name}": value for name, value in headers.items()}
    return {"authorization": f"Bearer {it.it.key}", **told}


async def outcome(it: House, **headers: str) -> str:
    reply = await it.it.ask(body=ASK, headers=marked(it, **headers))
    assert reply.status == 200
    return reply.headers["x-tidegate-cache"]


async def hear(it: House, selector: Selector, name: str = "i1") -> None:
    """As control says it to a gateway that follows it already."""
    it.it.feed.last_seq += 1
    entry = Entry(it.it.feed.last_seq, AnswersInvalidated((Invalidation(name, selector),)))
    assert (await it.it.feed.apply(entry)).error is None


@pytest.mark.parametrize(
    "selector",
    [
        Selector(tag="prices"),
        Selector(source="doc-17"),
        Selector(team="team-a", tag="shop"),
        Selector(route="small"),
        Selector(model="served-model"),
        EVERYTHING,
    ],
    ids=str,
)
def test_what_it_means_is_asked_anew_and_the_new_answer_stays(
    tmp_path: Path, selector: Selector
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            told = {"tags": "prices, shop", "sources": "doc-17,doc-18"}
            assert [await outcome(it, **told) for _ in range(2)] == ["miss", "hit"]
            await hear(it, selector)
            (memory,) = it.it.world.cache.memory.values()
            await it.it.world.cache.invalidations.swept()
            assert (len(memory), memory.size, memory.invalidated) == (0, 0, 1)
            assert [await outcome(it, **told) for _ in range(2)] == ["miss", "hit"]
            await hear(it, selector)  # the same once more is no other one
            assert await outcome(it, **told) == "hit"
            counters = it.it.vitals.status().counters
            assert counters["tidegate_cache_invalidations_total|source=control"] == 1.0
            label = "|route=small|tier=exact"
            assert counters[f"tidegate_cache_invalidated_total{label}"] == 1.0

    run(main())


def test_what_it_does_not_mean_stays(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            assert await outcome(it, tags="prices") == "miss"
            for number, selector in enumerate(
                (Selector(tag="price"), Selector(source="prices"), Selector(team="x", tag="prices"))
            ):
                await hear(it, selector, f"i{number}")
                assert await outcome(it) == "hit"

    run(main())


def test_an_answer_under_way_is_its_caller_s_alone(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            if it.asked == 1:
                await gate.wait()
            await either(exchange)

        async with house(tmp_path, script) as it:
            first = asyncio.create_task(outcome(it, tags="prices"))
            await it.up.arrived(1)
            before = [asyncio.create_task(outcome(it)) for _ in range(3)]
            await until(lambda: len(it.it.world.pausing) == 3)
            await hear(it, Selector(tag="prices"))
            after = [asyncio.create_task(outcome(it)) for _ in range(3)]
            await until(lambda: len(it.it.world.pausing) == 6)
            gate.set()
            assert await first == "miss"
            assert [await one for one in before] == ["joined"] * 3
            assert sorted([await one for one in after]) == ["joined", "joined", "miss"]
            assert it.asked == 2, "those who came after have one answer together"
            assert it.it.world.cache.unkept["small", "invalidated"] == 1
            assert await outcome(it) == "hit"

    run(main())


def test_what_is_asked_anew_in_the_background_is_not_kept_either(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            if it.asked == 2:
                await gate.wait()
            await either(exchange)

        async with house(tmp_path, script, ttl_s=0.05, stale_s=60.0) as it:
            assert await outcome(it, tags="prices") == "miss"
            await asyncio.sleep(0.06)
            assert await outcome(it, tags="prices") == "stale"
            await it.up.arrived(2)
            await hear(it, Selector(tag="prices"))
            gate.set()
            await until(lambda: not it.it.world.cache.tasks)
            assert it.it.world.cache.unkept["small", "invalidated"] == 1
            assert await outcome(it) == "miss"

    run(main())


def test_nor_does_it_stand_in_where_nobody_has_an_answer(tmp_path: Path) -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            if it.asked == 1:
                await either(exchange)
                return
            await gate.wait()
            exchange.send(answer_bytes(503, b"{}"))

        async with house(tmp_path, script, ttl_s=0.02, stale_if_error_s=60.0) as it:
            assert await outcome(it) == "miss"
            await asyncio.sleep(0.03)
            asking = asyncio.create_task(it.it.ask(body=ASK))
            await it.up.arrived(2)
            await hear(it, Selector(route="small"))
            gate.set()
            assert (await asking).status == 503

    run(main())


def test_a_gateway_that_has_missed_some_keeps_nothing_from_before(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            assert [await outcome(it) for _ in range(2)] == ["miss", "hit"]
            await it.it.feed.apply(Entry(it.it.feed.last_seq + 1, Forget()))
            assert [await outcome(it) for _ in range(2)] == ["miss", "hit"]

    run(main())


def test_tags_of_the_route_are_of_all_its_answers(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            route = it.plan.routes["small"]
            assert route.cache is not None
            tagged = replace(route, cache=replace(route.cache, tags=("shop",)))
            assert await outcome(it) == "miss"  # without its tag, and so of no use any more
            await it.obey(replace(it.plan, routes={"small": tagged}))
            assert [await outcome(it) for _ in range(2)] == ["miss", "hit"]
            await hear(it, Selector(tag="shop"))
            assert await outcome(it) == "miss"

    run(main())


@pytest.mark.parametrize(
    "told", ["", "a,,b", "a,", "x" * 129, ",".join(map(str, range(33)))], ids=range(5)
)
@pytest.mark.parametrize("name", ["tags", "sources"])
def test_labels_that_cannot_be_read_are_their_caller_s_fault(
    tmp_path: Path, name: str, told: str
) -> None:
    async def main() -> None:
        async with house(tmp_path) as it:
            reply = await it.it.ask(body=ASK, headers=marked(it, **{name: told}))
            assert (reply.status, reply.code) == (400, "invalid_parameter")
            assert it.asked == 0

    run(main())


def test_a_prompt_s_model_that_changes_while_an_answer_is_under_way(tmp_path: Path) -> None:
    """Nobody invalidates anything: the key is another."""

    async def main() -> None:
        gate = asyncio.Event()

        async def script(exchange: Exchange) -> None:
            if it.asked == 1:
                await gate.wait()
            await either(exchange)

        async with house(tmp_path, script) as it:
            first = asyncio.create_task(outcome(it))
            await it.up.arrived(1)
            await it.obey(keeping(plan_of(target(it.up.port, model="newer"))))
            second = asyncio.create_task(outcome(it))
            await it.up.arrived(2)
            assert await second == "miss"
            gate.set()
            assert await first == "miss"
            assert await outcome(it) == "hit"
            assert [one.json["model"] for one in it.up.exchanges] == ["served-model", "newer"]

    run(main())


def test_many_are_swept_without_holding_the_loop_and_few_ids_are_known() -> None:
    async def main() -> None:
        store = MemoryAnswers(1 << 40)
        invalidations = Invalidations(lambda: [store])
        store._log = invalidations.log
        for number in range(5000):
            labels = Labels(tags=("odd",) if number % 2 else ())
            kept = KeptAnswer("r", 1.0, 60.0, "t", False, b"", labels=labels)
            store.put(b"%d" % number, kept, 60.0)
        invalidations.hear(Selector(tag="odd"), "control")
        held_s, loop = 0.0, asyncio.get_running_loop()
        while invalidations._sweeping is not None and not invalidations._sweeping.done():
            began_s = loop.time()
            await asyncio.sleep(0)
            held_s = max(held_s, loop.time() - began_s)
        assert (len(store), store.invalidated) == (2500, 2500)
        assert held_s < 0.05
        for number in range(MOST_KNOWN + 5):
            assert invalidations.is_new(str(number), EVERYTHING)
        assert len(invalidations.known) == MOST_KNOWN

    asyncio.run(main())
