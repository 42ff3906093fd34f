"""What is kept of a settled request's vectors, and why something is not."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.gateway.embedded import Embedders, house, vector, vectors
from tests.gateway.rig import run
from tests.gateway.upstream import Exchange, answer_bytes

from tidegate.core.cache_labels import Selector
from tidegate.gateway.vector_keeping import AT_ONCE


def test_a_batch_of_many_is_kept_whole_and_costs_by_length(tmp_path: Path) -> None:
    async def main() -> None:
        made_by, count = Embedders(), 2 * AT_ONCE + 5
        async with house(tmp_path, made_by) as it:
            said = [f"{'x' * n}-" for n in range(count)]
            await it.ask(said)
            reply = await it.ask(said[::-1])
            assert vectors(reply) == [vector(one) for one in said[::-1]]
            assert len(made_by.asked) == 1
            cache = it.it.world.cache
            assert cache.kept == {"small": count}
            assert cache.items == {("small", "miss"): count, ("small", "hit"): count}
            lookups = {("small", "embeddings", name): 1 for name in ("miss", "hit")}
            assert cache.lookups == lookups
            last = await it.last(2)
            assert last.saved_nanousd is not None
            assert 0 <= count * 1_000 - last.saved_nanousd < count  # but for what is rounded
            held = cache.memory["small", "embeddings"]
            shares = [(await held.get(key)) for key in list(held._held)]
            costs = [one.answer.cost_nanousd or 0 for one in shares if one is not None]
            assert costs == sorted(costs, reverse=True)
            assert costs[0] > 9 * costs[-1]

    run(main())


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([[1.0], [2.0, 3.0]], {"uneven": 2}),
        ([[1.0], [0.0]], {"invalid": 1}),
        ([[1.0], "!"], {"invalid": 1}),
    ],
    ids=["uneven", "zeros", "none"],
)
def test_what_is_no_good_vector_is_passed_on_and_not_kept(
    tmp_path: Path, rows: Any, why: dict[str, int]
) -> None:
    async def main() -> None:
        async def script(exchange: Exchange) -> None:
            data = [{"index": n, "embedding": row} for n, row in enumerate(rows)]
            exchange.send(answer_bytes(200, msgspec.json.encode({"data": data})))

        async with house(tmp_path, script) as it:
            reply = await it.ask(["a", "b"])
            assert [row["embedding"] for row in reply.json["data"]] == rows
            unkept = it.it.world.cache.unkept
            assert {name: unkept["small", name] for name in why} == why

    run(main())


def test_of_a_failure_nothing_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            made_by.status = 500
            assert (await it.ask(["a"])).status == 502
            assert it.it.world.cache.unkept == {("small", "failed"): 1}
            made_by.status = 200
            assert (await it.ask(["a"])).headers["x-tidegate-cache"] == "miss"

    run(main())


def test_a_gateway_that_ends_keeps_nothing_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, Embedders()) as it:
            it.it.world.cache.stopped = True
            await it.ask(["a"])
            assert it.it.world.cache.unkept == {("small", "busy"): 1}

    run(main())


def test_vectors_are_invalidated_by_what_they_came_of(tmp_path: Path) -> None:
    async def main() -> None:
        made_by, said = Embedders(), {"x-tidegate-cache-sources": "handbook"}
        async with house(tmp_path, made_by) as it:
            cache = it.it.world.cache
            await it.ask(["a", "b"], said)
            await it.ask(["c"])
            cache.invalidate("1", Selector(source="handbook"))
            reply = await it.ask(["a", "b", "c"])
            assert reply.headers["x-tidegate-cache-items"] == "1/3"
            cache.invalidate("2", Selector(model="served-model"))
            assert (await it.ask(["c"])).headers["x-tidegate-cache"] == "miss"
            cache.invalidate("3", Selector(team="team-a", tier="exact"))
            assert (await it.ask(["c"])).headers["x-tidegate-cache"] == "hit"

    run(main())


def test_what_was_asked_before_an_invalidation_is_not_kept_after_it(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()

        async def script(exchange: Exchange) -> None:
            if len(made_by.asked) == 0:
                cache.invalidate("1", Selector(tier="embeddings"))
            await made_by(exchange)

        async with house(tmp_path, script) as it:
            cache = it.it.world.cache
            await it.ask(["a"])
            assert len(cache.memory["small", "embeddings"]) == 0
            assert (await it.ask(["a"])).headers["x-tidegate-cache"] == "miss"
            assert (await it.ask(["a"])).headers["x-tidegate-cache"] == "hit"

    run(main())
