"""Vectors that are kept apart: by who made them, for whom, and in which form."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.embedded import Embedders, House, house, vector, vectors
from tests.gateway.rig import run, target
from tests.gateway.upstream import Exchange, Upstream, answer_bytes

from tidegate.core.plan import Share, Target
from tidegate.core.receipt import Receipt


async def two_models(it: House, made_by: Embedders) -> Receipt:
    """A request that meets another model than that of what is kept."""
    assert vectors(await it.ask(["a", "b"])) == [vector("a"), vector("b")]
    made_by.version = "served-model-2"
    reply = await it.ask(["a", "c"])
    assert vectors(reply) == [vector("a", "served-model-2"), vector("c", "served-model-2")]
    assert reply.headers["x-tidegate-cache"] == "miss"
    assert reply.headers["x-tidegate-cache-items"] == "0/2"
    return await it.last(2)


def test_vectors_of_two_models_are_never_in_one_answer(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            receipt = await two_models(it, made_by)
            assert made_by.asked == [["a", "b"], ["c"], ["a", "c"]]
            assert receipt.cost_nanousd == 3_000  # both that were asked
            assert len(receipt.attempts) == 2
            assert receipt.model_served == "served-model-2"
            # What the older model made is not given any more, nor beside what the newer made.
            assert (await it.ask(["b"])).headers["x-tidegate-cache"] == "miss"
            last = await it.ask(["c", "a", "b"])
            assert vectors(last) == [vector(x, "served-model-2") for x in "cab"]
            assert last.headers["x-tidegate-cache"] == "hit"
            assert it.it.world.cache.unkept.total() == 0

    run(main())


def test_vectors_of_two_lengths_are_never_in_one_answer(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            await it.ask(["a"])
            made_by.dimensions = 8
            reply = await it.ask(["a", "b"])
            assert vectors(reply) == [vector(x, dimensions=8) for x in "ab"]
            assert made_by.asked == [["a"], ["b"], ["a", "b"]]

    run(main())


def fallbacks(it: House, other: Target) -> Any:
    [route] = it.plan.routes.values()
    route = replace(route, fallbacks=(("unavailable", (other,)),))
    return replace(it.plan, routes={"small": route})


def test_a_fallback_is_asked_for_the_whole_batch_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        made_by, other = Embedders(), Embedders()
        async with house(tmp_path, made_by) as it, Upstream(other) as beyond:
            await it.obey(fallbacks(it, target(beyond.port, "other", model="m2")))
            await it.ask(["a", "b"])
            made_by.status = 503
            reply = await it.ask(["a", "c"])
            assert vectors(reply) == [vector("a", "m2"), vector("c", "m2")]
            assert (reply.headers["x-tidegate-cache"], other.asked) == ("miss", [["a", "c"]])
            assert (await it.last(2)).cache_item_hits == 0
            assert it.it.world.cache.unkept["small", "fallback"] == 2
            made_by.status = 200
            again = await it.ask(["a", "c"])
            assert vectors(again) == [vector("a"), vector("c")]
            assert made_by.asked[-1] == ["c"]

    run(main())


def test_each_target_of_a_release_has_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        one, two = Embedders(), Embedders()
        async with house(tmp_path, one) as it, Upstream(two) as other:
            [route] = it.plan.routes.values()
            beside = target(other.port, "beside", model="m2")
            release = replace(route.release, others=(Share(beside, 1.0),))
            await it.obey(replace(it.plan, routes={"small": replace(route, release=release)}))
            rng = random.Random(1)
            for number in range(60):
                said = [*rng.choices("abcdefgh", k=3), f"{number}, so that one of them is asked"]
                found = vectors(await it.ask(said))
                assert found in [[vector(x, m) for x in said] for m in ("served-model", "m2")]
            assert one.asked and two.asked

    run(main())


@pytest.mark.parametrize("told", [["x"], ["x", "y", "z"], "none"], ids=["few", "many", "none"])
def test_an_answer_of_another_number_of_vectors_is_malformed(tmp_path: Path, told: Any) -> None:
    async def main() -> None:
        made_by = Embedders()

        async def script(exchange: Exchange) -> None:
            if exchange.json["input"] == ["a"]:
                await made_by(exchange)
                return
            rows = [{"index": n, "embedding": [1.0] * 4} for n in range(len(told))]
            exchange.send(answer_bytes(200, msgspec.json.encode({"data": rows[:3]})))

        async with house(tmp_path, script) as it:
            await it.ask(["a"])
            reply = await it.ask(["a", "b", "c"])
            expected = (502, "upstream_malformed")
            assert (reply.status, reply.code) == expected
            assert (await it.last(2)).cache_item_hits is not None

    run(main())


def test_what_makes_a_vector_keeps_it_apart(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            ways: list[dict[str, Any]] = [
                {},
                {"dimensions": 2},
                {"input_type": "query"},
                {"input_type": "passage"},
                {"odd": None},
                {"odd": 1},
                {"user": "u"},
            ]
            for way in ways:
                assert (await it.ask("a", **way)).headers["x-tidegate-cache"] == "miss"
                same = {**way, "encoding_format": None} if "odd" not in way else way
                assert (await it.ask("a", **same)).headers["x-tidegate-cache"] == "hit"
            null = await it.ask("a", dimensions=None, user=None)
            assert null.headers["x-tidegate-cache"] == "hit"

    run(main())
