"""What a gateway keeps obeys the plan of now."""

from tests.gateway.cached import keeping
from tests.gateway.rig import plan_of, target

from tidegate.core.cache import ExactCache
from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.gateway.answer_cache import AnswerCache

A, B = (target(1, name) for name in "ab")


def answer(model: str | None = None) -> KeptAnswer:
    return KeptAnswer("r", 1.0, 60.0, "a", False, b"{}", model_served=model)


def test_each_route_has_its_own_bounds_and_is_forgotten_with_its_cache() -> None:
    cache, plan = AnswerCache(), keeping(plan_of(A, B))
    cache.obey(plan)
    for name in "ab":
        cache.of(plan.routes[name], ExactCache()).put(b"k", answer(), 60.0)
    assert set(cache.memory) == {"a", "b"}
    cache.obey(keeping(plan_of(A, B), max_bytes=1))
    assert [len(held) for held in cache.memory.values()] == [0, 0]
    cache.obey(keeping(plan_of(A)))
    assert set(cache.memory) == {"a"}
    cache.obey(plan_of(A))
    assert cache.memory == {}


def test_an_answer_of_a_model_that_is_not_used_any_more_is_old() -> None:
    cache = AnswerCache()
    assert cache.is_current(Found(answer("one"), 0.0, {}))
    cache.served["a"] = "two"
    assert not cache.is_current(Found(answer("one"), 0.0, {}))
    assert cache.is_current(Found(answer("two"), 0.0, {}))
    cache.obey(plan_of(B))
    assert cache.served == {}
