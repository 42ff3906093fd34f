"""Two gateway processes that keep, give and invalidate in any order, in memory and over Redis:
after an invalidation is acknowledged nothing older that it means is given, and the rest stays."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.gateway.cached import keeping
from tests.gateway.rig import plan_of, target, until
from tests.stores import redis_rig

from tidegate.core import clock
from tidegate.core.cache import ExactCache
from tidegate.core.cache_labels import Labels, Selector
from tidegate.core.database_ref import CounterStore
from tidegate.core.kept_answer import KeptAnswer
from tidegate.gateway.answer_cache import AnswerCache, connecting
from tidegate.stores.redis_invalidations import STREAM

TAGS = st.frozensets(st.sampled_from("abc"), min_size=1, max_size=2)
SELECTORS = st.one_of(
    st.builds(Selector, tag=st.sampled_from("abc")),
    st.builds(Selector, team=st.sampled_from("xy")),
    st.builds(Selector, tag=st.sampled_from("abc"), team=st.sampled_from("xy")),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("begin"), st.integers(0, 1), st.integers(0, 3), st.sampled_from("xy"), TAGS
        ),
        st.tuples(st.just("end"), st.integers(0, 5)),
        st.tuples(st.just("invalidate"), SELECTORS),
        st.tuples(st.just("look")),
    ),
    min_size=5,
    max_size=25,
)
A = target(1, "a")


class Asked(Struct):
    """A request under way: `since` counts the invalidations that were acknowledged before it."""

    cache: int
    key: bytes
    labels: Labels
    since: int
    entry: str


class Model:
    """What may be given, by what was said and when."""

    def __init__(self, caches: list[AnswerCache], exact: ExactCache) -> None:
        self.caches, self.exact = caches, exact
        self.route = keeping(plan_of(A)).routes["a"]
        self.said: list[Selector] = []
        self.under_way: list[Asked] = []
        self.kept: dict[str, Asked] = {}

    def begin(self, cache: int, key: int, team: str, tags: frozenset[str]) -> None:
        entry = f"e{len(self.kept) + len(self.under_way)}-{len(self.said)}-{clock.monotonic_s()}"
        mark = self.caches[cache].mark(clock.monotonic_s())
        labels = Labels(
            entry=entry,
            route="a",
            team=team,
            tags=tuple(sorted(tags)),
            number=mark.number,
            id=mark.id,
        )
        self.under_way.append(Asked(cache, b"%d" % key, labels, len(self.said), entry))

    def end(self, number: int) -> None:
        if not self.under_way:
            return
        one = self.under_way.pop(number % len(self.under_way))
        kept = KeptAnswer(one.entry, clock.wall_s(), 60.0, "t", False, b"{}", labels=one.labels)
        self.kept[one.entry] = one
        self.caches[one.cache].of(self.route, "exact", self.exact).put(one.key, kept, 60.0)

    def is_void(self, one: Asked) -> bool:
        return any(it.matches(one.labels) for it in self.said[one.since :])

    async def look(self) -> None:
        for cache in self.caches:
            for key in range(4):
                found = await cache.of(self.route, "exact", self.exact).get(b"%d" % key)
                if found is not None:
                    assert not self.is_void(self.kept[found.answer.receipt_id])


@settings(max_examples=60)
@given(STEPS)
def test_in_memory(steps: list[Any]) -> None:
    async def main() -> None:
        caches = [AnswerCache(), AnswerCache()]
        model = Model(caches, ExactCache())
        newest: dict[tuple[int, bytes], Asked] = {}
        for what, *told in steps:
            if what == "invalidate":
                model.said.append(told[0])
                for cache in caches:
                    cache.invalidate(str(len(model.said)), told[0])
            elif what == "end" and model.under_way:
                one = model.under_way[told[0] % len(model.under_way)]
                model.end(told[0])
                newest[one.cache, one.key] = one
            elif what != "end":
                await asyncio.sleep(0)
                await getattr_step(model, what, told)
        await model.look()
        for (at, key), one in newest.items():
            found = await caches[at].of(model.route, "exact", model.exact).get(key)
            if not model.is_void(one):
                assert found is not None and found.answer.receipt_id == one.entry

    asyncio.run(main())


async def getattr_step(model: Model, what: str, told: list[Any]) -> None:
    if what == "begin":
        model.begin(*told)
    else:
        await model.look()


def over_one_redis(server: redis_rig.Server, steps: list[Any], over_redis: bool) -> None:
    url = f"unix://{server.socket}"

    async def main() -> None:
        server.say("FLUSHALL")
        caches = [AnswerCache(), AnswerCache()]
        plan = replace(keeping(plan_of(A), store="shared"), counters=CounterStore(url=url))
        for number, cache in enumerate(caches):
            cache.connect = connecting({}, str(number))
            cache.obey(plan)
        try:
            await until(lambda: all(it.mark(clock.monotonic_s()).id for it in caches))
            model = Model(caches, ExactCache(store="shared"))
            for what, *told in steps:
                if what == "invalidate":
                    await invalidate(model, told[0], server if over_redis else None)
                elif what == "end":
                    model.end(told[0])
                else:
                    await getattr_step(model, what, told)
            await model.look()
        finally:
            for cache in caches:
                await cache.stop()

    asyncio.run(main())


async def invalidate(model: Model, selector: Selector, server: redis_rig.Server | None) -> None:
    """Until both have heard of it."""
    before = [it.invalidations.log.newest for it in model.caches]
    if server is None:
        for cache in model.caches:
            cache.invalidate(f"i{len(model.said)}", selector)
    else:
        server.say("XADD", STREAM, "*", *(word for term in selector.terms() for word in term))
        await until(
            lambda: all(
                it.invalidations.log.newest > was
                for it, was in zip(model.caches, before, strict=True)
            )
        )
    model.said.append(selector)


def test_over_redis(tmp_path: Path) -> None:
    with redis_rig.serving("redis", tmp_path) as server:

        @settings(max_examples=12, deadline=None)
        @given(steps=STEPS, over_redis=st.booleans())
        def interleaved(steps: list[Any], over_redis: bool) -> None:
            over_one_redis(server, steps, over_redis)

        interleaved()


@pytest.mark.soak
def test_over_valkey_for_long(tmp_path: Path) -> None:
    with redis_rig.serving("valkey", tmp_path) as server:

        @settings(max_examples=300, deadline=None)
        @given(steps=STEPS, over_redis=st.booleans())
        def interleaved(steps: list[Any], over_redis: bool) -> None:
            over_one_redis(server, steps, over_redis)

        interleaved()
