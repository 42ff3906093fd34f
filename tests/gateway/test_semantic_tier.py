"""The encoders that a plan needs are there, and no others; what cannot be had is said by route."""

import asyncio
from typing import Any

import pytest
from tests.gateway.nearby import Index, Indices, Words, giving, near, opened
from tests.gateway.rig import plan_of, run, target

from tidegate.core.cache import RouteCache
from tidegate.core.kept_answer import KeptAnswer
from tidegate.gateway.caching import First, Near
from tidegate.gateway.semantic_tier import SemanticTier
from tidegate.stores.memory_answers import MemoryAnswers


async def settled(tier: SemanticTier) -> None:
    while any(it.off() == "loading" for it in tier.encodings.values()):  # noqa: ASYNC110
        await asyncio.sleep(0.001)


def tier_of(**encoders: Any) -> SemanticTier:
    tier = SemanticTier(Indices(Index()))
    tier.load = lambda name: opened(name, encoders)
    return tier


def test_a_plan_s_encoders_are_there_and_no_others() -> None:
    async def main() -> None:
        tier = tier_of(minilm=Words(), static=Words())
        tier.obey(giving(plan_of(target(1)), near(prefilter="static")))
        await settled(tier)
        assert set(tier.encodings) == {"minilm", "static"}
        kept = tier.encodings["minilm"]
        tier.obey(giving(plan_of(target(1)), near()))
        assert tier.encodings == {"minilm": kept}, "it goes on as it was"
        assert list(tier.off()) == []
        tier.obey(giving(plan_of(target(1)), RouteCache()))
        assert tier.encodings == {}
        assert tier.encoding("minilm") is None

    run(main())


def test_what_cannot_be_had_is_said_by_route_and_tried_with_the_next_plan() -> None:
    async def main() -> None:
        tier = tier_of()
        plan = giving(plan_of(target(1)), near())
        tier.obey(plan)
        await settled(tier)
        assert list(tier.off()) == [("small", "unavailable")]
        assert tier.encoding("minilm") is None
        tier.load = lambda _: Words()
        tier.obey(plan)
        await settled(tier)
        assert list(tier.off()) == []
        assert tier.encoding("minilm") is tier.encodings["minilm"]
        tier.stop()

    run(main())


def test_without_anything_to_search_with_it_is_off() -> None:
    async def main() -> None:
        tier = tier_of(minilm=Words())
        tier.obey(giving(plan_of(target(1)), near()))
        await settled(tier)
        tier.vectors.missing = "vectors cannot be searched here"
        assert list(tier.off()) == [("small", "unavailable")]
        assert tier.encoding("minilm") is None
        tier.stop()

    run(main())


def test_a_store_without_an_answer_is_said() -> None:
    async def main() -> None:
        tier = tier_of(minilm=Words())
        tier.obey(giving(plan_of(target(1)), near()))
        await settled(tier)
        tier.vectors.answers = False  # type: ignore[attr-defined]
        assert list(tier.off()) == [("small", "away")]
        tier.stop()

    run(main())


def test_nothing_is_kept_while_nothing_can_be_encoded() -> None:
    async def main() -> None:
        tier = tier_of()
        plan = giving(plan_of(target(1)), near())
        tier.obey(plan)
        await settled(tier)
        kept = KeptAnswer("r", 1.0, 60.0, "small", False, b"{}")
        unused: Any = None
        cache = plan.routes["small"].cache
        assert cache is not None
        assert cache.semantic is not None
        own = Near(cache.semantic, "a", b"p", b"k", 60.0, 0.8)
        assert not tier.keep(plan.routes["small"], own, unused, kept)

    run(main())


@pytest.mark.parametrize("store", ["memory", "shared"])
def test_a_shared_answer_knows_where_its_question_is(store: str) -> None:
    async def main() -> None:
        tier, answers = tier_of(minilm=Words()), MemoryAnswers(1 << 20)
        plan = giving(plan_of(target(1)), near(store=store))
        tier.obey(plan)
        await settled(tier)
        cache = plan.routes["small"].cache
        assert cache is not None
        assert cache.semantic is not None
        own = Near(cache.semantic, "a", b"p", b"k", 60.0, 0.8, First(b"q", b"1234"))
        kept = KeptAnswer("r", 1.0, 60.0, "small", False, b"{}")
        assert tier.keep(plan.routes["small"], own, answers, kept)
        found = answers.look(b"k")
        assert found is not None
        assert found.answer.labels.places == ((b"p", b"q") if store == "shared" else ())
        tier.stop()

    run(main())
