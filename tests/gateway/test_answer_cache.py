"""What a gateway keeps obeys the plan of now."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.cached import ASK, either, keeping
from tests.gateway.rig import gateway, plan_of, run, target, until
from tests.gateway.upstream import Upstream
from tests.stores import redis_rig

from tidegate.core.cache import ExactCache
from tidegate.core.database_ref import CounterStore
from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.core.plan import Candidate
from tidegate.gateway.answer_cache import AnswerCache, connecting

A, B = (target(1, name) for name in "ab")


def answer(model: str | None = None) -> KeptAnswer:
    return KeptAnswer("r", 1.0, 60.0, "a", False, b"{}", model_served=model)


def test_each_route_has_its_own_bounds_and_is_forgotten_with_its_cache() -> None:
    cache, plan = AnswerCache(), keeping(plan_of(A, B))
    cache.obey(plan)
    for name in "ab":
        cache.of(plan.routes[name], "exact", ExactCache()).put(b"k", answer(), 60.0)
    assert set(cache.memory) == {("a", "exact"), ("b", "exact")}
    cache.obey(keeping(plan_of(A, B), max_bytes=1))
    assert [len(held) for held in cache.memory.values()] == [0, 0]
    cache.obey(keeping(plan_of(A)))
    assert set(cache.memory) == {("a", "exact")}
    cache.obey(plan_of(A))
    assert cache.memory == {}


def test_a_release_under_way_may_keep_what_its_route_does_not() -> None:
    cache, plan = AnswerCache(), plan_of(A)
    coming = keeping(plan).routes["a"]
    under_way = replace(plan.routes["a"], candidate=Candidate("a/next", "salt", coming))
    plan = replace(plan, routes={"a": under_way})
    cache.of(coming, "exact", ExactCache()).put(b"k", answer(), 60.0)
    cache.obey(plan)
    assert len(cache.memory["a", "exact"]) == 1


def test_what_is_in_this_process_is_there_without_a_shared_store() -> None:
    cache = AnswerCache()
    assert cache.is_there(ExactCache())
    assert cache.is_there(ExactCache(store="disk"))
    assert not cache.is_there(ExactCache(store="shared"))


def test_an_answer_of_a_model_that_is_not_used_any_more_is_old() -> None:
    cache = AnswerCache()
    assert cache.is_current(Found(answer("one"), 0.0, {}))
    cache.served["a"] = "two"
    assert not cache.is_current(Found(answer("one"), 0.0, {}))
    assert cache.is_current(Found(answer("two"), 0.0, {}))
    cache.obey(plan_of(B))
    assert cache.served == {}


def is_open(cache: AnswerCache) -> bool:
    return cache.shared is not None and cache.shared.open


def test_gateways_with_one_store_give_each_other_s_answers(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with (
            Upstream(either) as up,
            gateway(tmp_path / "a", target(up.port)) as one,
            gateway(tmp_path / "b", target(up.port)) as other,
        ):
            plan = keeping(plan_of(target(up.port), version=2), store="shared")
            plan = replace(plan, counters=CounterStore(url=url))
            for it in (one, other):
                it.world.cache.connect = connecting({}, "g")
                it.store.rows, it.key = one.store.rows, one.key
                # Of limits there are none, so that nothing is counted there.
                assert await it.obey(plan)
                await until(partial(is_open, it.world.cache))
            await one.ask(body=ASK)
            for _ in range(100):
                reply = await other.ask(body=ASK)
                if reply.headers["x-tidegate-cache"] == "hit":
                    break
                await asyncio.sleep(0.01)
            assert reply.headers["x-tidegate-cache"] == "hit"
            assert one.vitals.status().gauges["tidegate_cache_store_up"] == 1.0
            before = other.world.cache.shared
            assert await other.obey(replace(plan, version=3))
            assert other.world.cache.shared is before, "the same store is kept"
            assert await other.obey(plan_of(target(up.port), version=4))
            assert other.world.cache.shared is None
            for it in (one, other):
                await it.world.cache.stop()

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(f"unix://{server.socket}"))


@pytest.mark.parametrize("store", [CounterStore(env="NOWHERE"), CounterStore(file="/no/file")])
def test_a_store_that_is_not_to_be_had_keeps_nothing(store: CounterStore) -> None:
    cache = AnswerCache()
    cache.connect = connecting({}, "g")
    plan = replace(keeping(plan_of(A), store="shared"), counters=store)
    cache.obey(plan)
    answers = cache.of(plan.routes["a"], "exact", ExactCache(store="shared"))
    answers.put(b"k", answer(), 60.0)
    assert asyncio.run(answers.get(b"k")) is None
