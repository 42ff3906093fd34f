"""A cache that could never work, or would tell strangers, is refused with what to do."""

from typing import Any

from tests.core.plans import compiled, complaints, declared

from tidegate.core.cache import ExactCache, RouteCache, SemanticCache
from tidegate.core.declared_cache import DeclaredCache, DeclaredExact
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_semantic import DeclaredSemantic


def plan(**exact: Any) -> Any:
    cache = DeclaredCache(DeclaredExact(**exact))
    return declared(routes={"chat": DeclaredRoute("llama", cache=cache)})


def near(**semantic: Any) -> Any:
    cache = DeclaredCache(semantic=DeclaredSemantic(**semantic))
    return declared(routes={"chat": DeclaredRoute("llama", cache=cache)})


def test_nothing_is_kept_unless_a_route_says_so() -> None:
    assert compiled(declared()).routes["chat"].cache is None
    off = declared(routes={"chat": DeclaredRoute("llama", cache=DeclaredCache())})
    assert compiled(off).routes["chat"].cache is None
    assert compiled(plan(ttl_s=9.0)).routes["chat"].cache == RouteCache(ExactCache(9.0))


def test_what_is_for_some_is_not_told_to_whoever_stands_in_front() -> None:
    said = complaints(plan(public=True))
    assert "scope: route" in said["routes.chat.cache.exact.public"]
    assert compiled(plan(public=True, scope="route"))


def test_one_answer_fits_into_all_of_them() -> None:
    said = complaints(plan(max_entry_bytes=4096, max_bytes=2048))
    assert list(said) == ["routes.chat.cache.exact.max_entry"]


def test_a_shared_store_has_to_be_there() -> None:
    said = complaints(plan(store="shared"))
    assert "storage.limits" in said["routes.chat.cache.exact.store"]


def test_a_route_may_keep_answers_by_meaning_alone() -> None:
    found = compiled(near(threshold=0.9)).routes["chat"].cache
    assert found == RouteCache(None, SemanticCache(threshold=0.9))


def test_a_semantic_tier_is_bounded_and_stored_as_others_are() -> None:
    said = complaints(near(max_entry_bytes=4096, max_bytes=2048, store="shared"))
    assert list(said) == [
        "routes.chat.cache.semantic.max_entry",
        "routes.chat.cache.semantic.store",
    ]


def test_no_encoder_stands_before_itself() -> None:
    said = complaints(near(encoder="wordllama", prefilter="wordllama"))
    assert list(said) == ["routes.chat.cache.semantic.prefilter"]
