"""Of a batch what is kept is not asked for again, and its answer is as if all of it had been."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.gateway.embedded import PATH, Embedders, house, items_of, vector, vectors
from tests.gateway.limited import budget
from tests.gateway.rig import HELLO, run, target
from tests.gateway.upstream import Exchange, Upstream, answer_bytes, whole

from tidegate.core.plan import Share
from tidegate.gateway.overlay import put_in_force
from tidegate.gateway.vector_keeping import AT_ONCE


def test_a_batch_is_split_and_joined_in_its_order(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            first = await it.ask(["a", "b"])
            assert first.headers["x-tidegate-cache"] == "miss"
            assert first.headers["x-tidegate-cache-items"] == "0/2"
            second = await it.ask(["c", "b", "d", "a", "c"])
            assert vectors(second) == [vector(one) for one in "cbdac"]
            assert second.headers["x-tidegate-cache"] == "partial"
            assert second.headers["x-tidegate-cache-items"] == "2/5"
            assert second.json["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
            assert second.json["id"] == "emb-1"
            third = await it.ask(["d", "c"])
            assert vectors(third) == [vector("d"), vector("c")]
            assert third.headers["x-tidegate-cache"] == "hit"
            assert third.json["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
            assert third.json["model"] == "served-model"
            assert made_by.asked == [["a", "b"], ["c", "d"]]
            receipts = it.it.receipts()
            assert [one.cache for one in receipts] == ["miss", "partial", "hit"]
            assert [one.cache_items for one in receipts] == [2, 5, 2]
            assert [one.cache_item_hits for one in receipts] == [0, 2, 2]
            assert [one.cost_nanousd for one in receipts] == [2_000, 2_000, 0]
            assert [one.saved_nanousd for one in receipts] == [None, 2_000, 2_000]
            assert receipts[2].cache_from == receipts[1].id
            assert [one.saved_s for one in receipts] == [None, None, receipts[1].total_s]

    run(main())


FORMS = [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}]


def test_any_batch_is_answered_as_if_all_of_it_were_asked(tmp_path: Path) -> None:
    """Any order, repeats, texts and tokens, in both forms."""

    async def main() -> None:
        rng, made_by = random.Random(3), Embedders()
        items: list[Any] = [f"text {n}" for n in range(40)] + ["[1]", "1"]
        tokens: list[Any] = [[n, 7] for n in range(20)] + [[1], [7, 1]]
        outcomes = Counter[str]()
        async with house(tmp_path, made_by) as it:
            for number in range(200):
                made_by.shuffles = number % 2 == 0
                made_by.ignores_form = number % 7 == 0
                of = rng.choice([items, tokens])
                said: Any = rng.choices(of, k=rng.randint(1, 6))
                said = rng.choice([said, said, said[0]])
                more = {**rng.choice(FORMS), **rng.choice([{}, {}, {"dimensions": 2}])}
                way = {"cache-control": "no-cache"} if number % 5 == 0 else None
                reply = await it.ask(said, way, **more)
                outcomes[reply.headers["x-tidegate-cache"]] += 1
                long = more.get("dimensions", 4)
                assert vectors(reply) == [vector(x, dimensions=long) for x in items_of(said)]
        assert min(outcomes[name] for name in ("hit", "partial", "miss")) > 9, outcomes

    run(main())


def test_money_for_asking_once_more_has_to_be_there(tmp_path: Path) -> None:
    """The first that was asked has been paid."""

    async def main() -> None:
        hold = 1_000 * len(msgspec.json.encode({"model": "small", "input": ["a", "b"]}))
        made_by, limit = Embedders(), (budget(hold + 1_500),)
        async with house(tmp_path, made_by, limits=limit) as it:
            await it.ask(["a"])
            made_by.version = "other"
            reply = await it.ask(["a", "b"])
            assert (reply.status, reply.code) == (429, "insufficient_quota")
            assert made_by.asked == [["a"], ["b"]]

    run(main())


def test_who_has_spent_all_has_what_is_kept_and_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        made_by, limit = Embedders(), (budget(170_000),)
        async with house(tmp_path, made_by, limits=limit) as it:
            assert (await it.ask(["a"] * 3)).status == 200
            while (await it.ask([f"new {len(made_by.asked)}"])).status == 200:
                pass
            assert (await it.ask(["a"])).status == 200
            assert (await it.ask(["a", "b" * 99])).status == 429
            chat = await it.it.ask("/v1/chat/completions", HELLO)
            assert chat.status == 429  # which this route keeps nothing of
            odd = await it.it.ask(PATH, {"model": "small", "input": ["", "b" * 99]})
            assert odd.status == 429

    run(main())


def test_callers_words_are_obeyed(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            said = "x-tidegate-cache"
            assert (await it.ask("a", {said: "no-store"})).headers[said] == "miss"
            assert (await it.ask("a")).headers[said] == "miss"
            assert (await it.ask("a")).headers[said] == "hit"
            assert (await it.ask("a", {said: "no-cache"})).headers[said] == "miss"
            apart = {"x-tidegate-cache-namespace": "mine"}
            assert (await it.ask("a", apart)).headers[said] == "miss"
            assert (await it.ask("a", apart)).headers[said] == "hit"
            reply = await it.ask("a", cache={"ttl": 0})
            assert reply.headers[said] == "miss"
            assert (await it.ask("a", {"x-tidegate-cache-ttl": "soon"})).status == 400

    run(main())


@pytest.mark.parametrize(
    "members",
    [
        {"input": []},
        {"input": ["a", ""]},
        {"input": ["a", 1]},
        {"input": ["a"], "encoding_format": "int8"},
        {"input": ["a"], "odd": {"a": 1, "b": [{}]}, "encoding_format": 3},
    ],
)
def test_what_cannot_be_told_apart_is_passed_on(tmp_path: Path, members: Any) -> None:
    async def main() -> None:
        async with house(tmp_path, whole({"data": []})) as it:
            for count in (1, 2):
                reply = await it.it.ask(PATH, {"model": "small", **members})
                assert reply.headers["x-tidegate-cache"] == "bypass"
                assert len(it.up.exchanges) == count
            assert (await it.last(2)).cache == "bypass"
            assert it.it.world.cache.lookups == {("small", "embeddings", "bypass"): 2}

    run(main())


def test_a_route_that_keeps_none_is_as_it_was(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            [route] = it.plan.routes.values()
            await it.obey(replace(it.plan, routes={"small": replace(route, cache=None)}))
            reply = await it.ask(["a", "a"])
            assert "x-tidegate-cache" not in reply.headers
            assert made_by.asked == [["a", "a"]]
            assert (await it.last(1)).cache_items is None

    run(main())


def test_a_target_with_a_wire_of_its_own_is_split_too(tmp_path: Path) -> None:
    async def main() -> None:
        asked: list[list[str]] = []

        async def gemini(exchange: Exchange) -> None:
            texts = [one["content"]["parts"][0]["text"] for one in exchange.json["requests"]]
            asked.append(texts)
            rows = [{"values": vector(text, "g")} for text in texts]
            told = {"promptTokenCount": len(texts)}
            body = {"embeddings": rows, "usageMetadata": told}
            exchange.send(answer_bytes(200, msgspec.json.encode(body)))

        aim = target(1, dialect="gemini", model="gemini-embedding-001")
        async with house(tmp_path, gemini, aim=aim) as it:
            await it.ask(["a", "b"])
            reply = await it.ask(["b", "c"], encoding_format="base64")
            assert vectors(reply) == [vector("b", "g"), vector("c", "g")]
            assert asked == [["a", "b"], ["c"]]
            assert reply.json["usage"]["prompt_tokens"] == 1

    run(main())


def test_while_it_is_off_every_item_is_asked_anew(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        async with house(tmp_path, made_by) as it:
            await it.ask(["a"])
            base = it.it.world.plan
            off = dict.fromkeys(base.routes, 1.0)
            put_in_force(it.it.world, base, {"embeddings_cache_off": off})
            assert (await it.ask(["a", "b"])).headers["x-tidegate-cache"] == "bypass"
            put_in_force(it.it.world, base, {})
            await it.ask(["a"])
            await it.ask(["b"])
            assert [one.cache for one in it.it.receipts()] == ["miss", "bypass", "hit", "miss"]
            assert made_by.asked == [["a"], ["a", "b"], ["b"]]

    run(main())


def test_what_a_target_has_made_is_given_while_it_is_off(tmp_path: Path) -> None:
    async def main() -> None:
        one, two = Embedders(), Embedders()
        async with house(tmp_path, one) as it, Upstream(two) as other:
            [route] = it.plan.routes.values()
            beside = Share(target(other.port, "beside", model="m2"), 1e-9)
            release = replace(route.release, others=(beside,))
            await it.obey(replace(it.plan, routes={"small": replace(route, release=release)}))
            await it.ask(["a"])
            off = {route.release.shares[0].target.name: 1.0}
            assert it.it.world.plan is not None
            put_in_force(it.it.world, it.it.world.plan, {"target_off": off})
            assert vectors(await it.ask(["a"])) == [vector("a")]
            assert vectors(await it.ask(["a", "b"])) == [vector("a", "m2"), vector("b", "m2")]

    run(main())


def test_many_that_are_asked_for_in_the_other_form_do_not_hold_the_loop(tmp_path: Path) -> None:
    async def main() -> None:
        made_by = Embedders()
        made_by.dimensions = 64
        async with house(tmp_path, made_by) as it:
            items = [str(number) for number in range(2048)]
            await it.ask(items)
            turns, done = 0, asyncio.Event()

            async def count() -> None:
                nonlocal turns
                while not done.is_set():
                    turns += 1
                    await asyncio.sleep(0)

            counting = asyncio.ensure_future(count())
            body = await it.ask(items, encoding_format="base64")
            done.set()
            await counting
            assert vectors(body) == [vector(one, dimensions=64) for one in items]
            assert body.headers["x-tidegate-cache"] == "hit"
            assert turns >= 2048 // AT_ONCE

    run(main())
