"""The kept answer to another wording: who gets it, what is noted, and what is never given."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.cached import STREAMED
from tests.gateway.nearby import Words, giving, near, nearby, vector_of
from tests.gateway.rig import run
from tests.gateway.worded import NEAR, ONE, OTHER, POLITE, asking

from tidegate.core.cache import ExactCache
from tidegate.core.plan import Limit
from tidegate.gateway.overlay import put_in_force


def test_another_wording_has_the_same_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            first = await it.it.ask(body=asking(ONE))
            again = await it.it.ask(body=asking(POLITE))
            stream = await it.it.ask(body=asking(POLITE, stream=True))
            other = await it.it.ask(body=asking(OTHER))
            assert it.asked == 2
            assert first.headers["x-tidegate-cache"] == "miss"
            assert again.headers["x-tidegate-cache"] == "hit"
            assert again.headers["x-tidegate-cache-tier"] == "semantic"
            assert again.headers["cache-control"] == "private, max-age=3600"
            assert again.body == first.body
            assert (stream.events[-1], other.status) == (b"[DONE]", 200)
            assert await it.outcomes(4) == ["miss", "hit", "hit", "miss"]
            made, given, _, missed = it.it.receipts()
            assert (given.cache_tier, given.cache_from) == ("semantic", made.id)
            assert given.cache_score == pytest.approx(NEAR)
            assert (given.cost_nanousd, given.saved_nanousd) == (0, made.cost_nanousd)
            assert given.cache_encode_s is not None
            assert given.cache_lookup_s is not None and given.cache_semantic_s is not None
            assert given.cache_encode_s <= given.cache_semantic_s == given.cache_lookup_s
            assert given.cache_veto is None
            assert given.cache_shadow_from is None
            assert missed.cache_tier is None
            assert missed.cache_score is not None
            assert missed.cache_score < 0.8
            assert it.lookups() == {"none": 2, "hit": 2}

    run(main())


def test_in_shadow_it_is_only_noted(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(mode="shadow")) as it:
            for text in (ONE, POLITE, ONE):
                reply = await it.it.ask(body=asking(text))
                assert reply.headers["x-tidegate-cache"] == "miss"
            assert it.asked == 3
            assert await it.outcomes(3) == ["miss"] * 3
            first, second, third = it.it.receipts()
            assert (second.cache_shadow_from, second.cache_from) == (first.id, None)
            assert second.cache_score == pytest.approx(NEAR)
            assert second.cost_nanousd == first.cost_nanousd
            assert third.cache_shadow_from in {first.id, second.id}
            assert it.lookups() == {"none": 1, "shadow": 2}

    run(main())


def test_without_a_threshold_nothing_is_given_and_all_is_noted(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(threshold=None)) as it:
            for text in (ONE, "how do I reset my modem", OTHER):
                await it.it.ask(body=asking(text))
            assert await it.outcomes(3) == ["miss"] * 3
            first, second, third = it.it.receipts()
            assert second.cache_shadow_from == first.id
            assert second.cache_score is not None
            assert 0.5 < second.cache_score < 0.95
            assert third.cache_shadow_from is None

    run(main())


def test_what_the_veto_speaks_against_is_not_given(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(threshold=0.5)) as it:
            await it.it.ask(body=asking("what does the plan with 10 seats cost"))
            await it.it.ask(body=asking("what does the plan with 20 seats cost"))
            assert await it.outcomes(2) == ["miss"] * 2
            first, second = it.it.receipts()
            assert second.cache_veto is not None
            assert second.cache_shadow_from == first.id
            assert second.cache_from is None
            assert it.lookups() == {"none": 1, "veto": 1}

    run(main())


def test_the_next_nearest_is_taken_where_the_nearest_may_not_be(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(threshold=0.5)) as it:
            await it.it.ask(body=asking("cost of 10 seats please"))
            await it.it.ask(body=asking("cost of 20 seats"))
            await it.it.ask(body=asking("cost of 10 seats"))
            assert await it.outcomes(3) == ["miss", "miss", "hit"]
            first, _, third = it.it.receipts()
            assert (third.cache_from, third.cache_veto) == (first.id, None)
            assert third.cache_shadow_from is None

    run(main())


def test_the_exact_tier_is_asked_first_and_encodes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(ExactCache())) as it:
            for text in (ONE, ONE, POLITE):
                await it.it.ask(body=asking(text))
            assert await it.outcomes(3) == ["miss", "hit", "hit"]
            assert [r.cache_tier for r in it.it.receipts()] == [None, "exact", "semantic"]
            assert it.encoder.asked == [ONE, POLITE]

    run(main())


def test_callers_of_the_same_wait_for_the_one_that_looks(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(), encoder=Words(fast=False)) as it:
            await it.it.ask(body=asking(ONE))
            several = await asyncio.gather(
                *(it.it.ask(body=asking(POLITE)) for _ in range(20)),
                *(it.it.ask(body=asking(OTHER)) for _ in range(20)),
            )
            assert {reply.status for reply in several} == {200}
            assert it.asked == 2, "the third question was asked once"
            assert it.encoder.asked.count(OTHER) == 1
            await it.it.receipt(41)
            tiers = [r.cache_tier for r in it.it.receipts() if r.cache_from is not None]
            assert tiers.count("semantic") >= 20
            assert len(it.it.world.cache.flights) == 0

    run(main())


def test_who_has_spent_everything_may_have_it_and_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        limits = (
            Limit("requests", "requests", 10, per_s=86_400.0),
            Limit("money", "spend", 145_000, unit="month"),
        )
        async with nearby(tmp_path, near(), limits=limits) as it:
            await it.it.ask(body=asking(ONE, max_tokens=5))
            kept = await it.it.ask(body=asking(POLITE, max_tokens=5))
            assert (kept.status, kept.headers["x-tidegate-cache-tier"]) == (200, "semantic")
            other = await it.it.ask(body=asking(OTHER, max_tokens=5))
            assert (other.status, other.code) == (429, "insufficient_quota")
            await it.obey(giving(it.plan, near(mode="shadow")))
            no = await it.it.ask(body=asking(POLITE, max_tokens=5))
            assert (no.status, no.code) == (429, "insufficient_quota")

    run(main())


def test_a_vector_that_comes_too_late_is_kept_for_the_next(tmp_path: Path) -> None:
    class Slow(Words):
        def encode(self, texts: Any) -> Any:
            time.sleep(0.08)
            return super().encode(texts)

    async def main() -> None:
        async with nearby(tmp_path, near(), encoder=Slow(fast=False)) as it:
            for _ in range(2):
                await it.it.ask(body=asking(ONE))
            assert await it.outcomes(2) == ["miss", "hit"], "the same wording needs no vector"
            while not it.index.held:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.01)
            first = it.it.receipts()[0]
            assert first.cache_encode_s is not None
            assert 0.04 < first.cache_encode_s < 0.2
            [(vector, question)] = it.index.held.values()
            assert (vector, question) == (vector_of(ONE), ONE)
            assert it.lookups() == {"not_encoded": 1, "hit": 1}

    run(main())


def test_streams_are_kept_and_given_as_others_are(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            await it.it.ask(body={**STREAMED, "messages": asking(ONE)["messages"]})
            whole = await it.it.ask(body=asking(POLITE))
            assert whole.json["choices"][0]["message"]["content"] == "hello"
            assert await it.outcomes(2) == ["miss", "hit"]

    run(main())


def test_what_is_not_kept_has_no_vector(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near()) as it:
            headers = {"authorization": f"Bearer {it.it.key}", "cache-control": "no-store"}
            await it.it.ask(body=asking(ONE), headers=headers)
            await it.outcomes(1)
            assert it.index.held == {}

    run(main())


def test_levers_hold_it_to_more_or_switch_it_off(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(threshold=0.5)) as it:
            world, base = it.it.world, it.it.world.plan
            assert base is not None
            await it.it.ask(body=asking(ONE))
            for standing in (
                {"semantic_threshold_floor": {"small": 0.99}},
                {"semantic_cache_off": {"small": 1.0}},
                {},
            ):
                put_in_force(world, base, standing)
                headers = {"authorization": f"Bearer {it.it.key}", "cache-control": "no-store"}
                await it.it.ask(body=asking(POLITE), headers=headers)
            assert await it.outcomes(4) == ["miss", "miss", "bypass", "hit"]

    run(main())


def test_a_prefilter_spares_what_has_nothing_near_the_encoder(tmp_path: Path) -> None:
    class Quick(Words):
        name = "static"
        version = "quick-1"

    async def main() -> None:
        main, quick = Words(fast=False), Quick()
        cache = near(ExactCache(), prefilter="static")
        async with nearby(tmp_path, cache, encoder=main, prefilter=quick) as it:
            for text in (ONE, OTHER, POLITE):
                await it.it.ask(body=asking(text))
                await asyncio.sleep(0.02)
            assert await it.outcomes(3) == ["miss", "miss", "hit"]
            assert it.lookups() == {"far": 2, "hit": 1}
            first, second, third = it.it.receipts()
            assert first.cache_encode_s is second.cache_encode_s is None
            assert third.cache_encode_s is not None
            assert main.asked == [ONE, OTHER, POLITE], "the first two behind their answers"
            assert len(it.index.held) == 4, "by each of the two encoders"
            quick.version = "quick-2"
            await it.it.ask(body=asking("Do tell: how do I reset my password"))
            assert it.lookups()["far"] == 3

    run(main())


def test_a_prefilter_that_is_off_filters_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with nearby(tmp_path, near(prefilter="static"), prefilter=None) as it:
            for text in (ONE, POLITE):
                await it.it.ask(body=asking(text))
            assert await it.outcomes(2) == ["miss", "hit"]

    run(main())
