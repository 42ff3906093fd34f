"""The plan with changes over it: each lever does what the table says."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.nearby import giving, near
from tests.gateway.rig import plan_of, target
from tests.gateway.routed import routed

from tidegate.core.arm import Lane
from tidegate.core.cache import ExactCache, RouteCache
from tidegate.core.levers import EVERY
from tidegate.core.plan import Candidate, Plan
from tidegate.core.probe import Probe
from tidegate.gateway.levers import Standing
from tidegate.gateway.overlay import overlay
from tidegate.gateway.prepared import PreparedPlan, Preparer
from tidegate.gateway.prepared_route import PreparedCandidate, PreparedRoute
from tidegate.stores.memory_counters import memory_counters

A, B, C = (target(1, name) for name in "abc")


def prepared(plan: Plan) -> PreparedPlan:
    return asyncio.run(Preparer({}, memory_counters).prepare(plan))


@pytest.fixture(scope="module")
def base() -> PreparedPlan:
    """`small` over a and b, c in their place; and a route of its own for each of the three."""
    probes = {"a": Probe(every_s=60.0), "b": Probe(every_s=60.0)}
    routes = routed(A, B, unavailable=(C,), overflow=(B, C))
    return prepared(plan_of(A, B, C, routes=routes, probes=probes))


def pool(route: PreparedRoute) -> dict[str, float]:
    return {share.target.target.name: share.weight for share in route.pool}


def laid(base: PreparedPlan, lever: str, **scopes: float) -> PreparedPlan:
    return overlay(base, {lever: {name.replace("__", "/"): v for name, v in scopes.items()}})


def test_without_a_change_it_is_the_plan_itself(base: PreparedPlan) -> None:
    assert overlay(base, {}) is base
    assert laid(base, "frozen", small=1) is base, "none of a request's business"
    assert laid(base, "route_off", none=1) is base
    assert laid(base, "route_off", small=0) is base


def test_a_target_that_is_off_is_asked_nothing(base: PreparedPlan) -> None:
    plan = laid(base, "target_off", a=1)
    route = plan.routes["small"]
    assert pool(route) == {"b": 1.0}
    assert (route.alone, route.target.target.name) == (True, "b")
    assert list(plan.probes) == ["b"]
    assert plan.routes["b"] is base.routes["b"], "untouched"
    assert plan.routes["a"].off is not None
    assert "switched off" in plan.routes["a"].off
    assert plan.plan is base.plan


def test_where_none_of_its_own_is_left_what_stands_in_for_them_serves(base: PreparedPlan) -> None:
    route = laid(base, "target_off", a=1, b=1).routes["small"]
    assert pool(route) == {"c": 1.0}
    assert [it.target.name for it in route.fallbacks["overflow"]] == ["c"]
    assert route.off is None
    assert laid(base, "target_off", a=1, b=1, c=1).routes["small"].off is not None
    every = overlay(base, {"target_off": {EVERY: 1}})
    assert all(route.off is not None for route in every.routes.values())
    assert every.probes == {}


def test_weights_move_and_a_dial_switches_nothing_off(base: PreparedPlan) -> None:
    assert pool(laid(base, "target_weight", small__a=3).routes["small"]) == {"a": 3, "b": 1}
    assert pool(laid(base, "target_weight", small__a=0).routes["small"]) == {"b": 1}
    none = laid(base, "target_weight", small__a=0, small__b=0)
    assert pool(none.routes["small"]) == {"a": 1, "b": 1}
    assert laid(base, "target_weight", other__a=3) is base


def test_clamps_come_after_dials(base: PreparedPlan) -> None:
    standing: Standing = {"target_weight": {"small/a": 9, "small/b": 0}, "target_off": {"a": 1}}
    assert pool(overlay(base, standing).routes["small"]) == {"c": 1.0}


def test_a_route_that_is_off_says_so_and_what_holds_every_route_is_merged_in(
    base: PreparedPlan,
) -> None:
    assert laid(base, "route_off", small=1).routes["small"].off is not None
    plan = overlay(base, {"output_cap_tokens": {EVERY: 100, "small": 50, "a": 900}})
    caps = {name: route.output_cap_tokens for name, route in plan.routes.items()}
    assert caps == {"small": 50, "a": 100, "b": 100, "c": 100}
    plan = overlay(base, {"route_off": {EVERY: 1}})
    assert all(route.off is not None for route in plan.routes.values())


values: dict[str, Any] = {
    "target_off": st.dictionaries(st.sampled_from("abc"), st.just(1.0)),
    "route_off": st.dictionaries(st.sampled_from(["small", "a", EVERY]), st.just(1.0)),
    "output_cap_tokens": st.dictionaries(st.sampled_from(["small", "b"]), st.floats(1, 1e6)),
    "target_weight": st.dictionaries(
        st.sampled_from(["small/a", "small/b"]), st.sampled_from([0.0, 1.0, 5.0])
    ),
}


@given(st.fixed_dictionaries({}, optional=values))
def test_whatever_holds_no_target_that_is_off_is_left_and_the_plan_itself_is_not_touched(
    base: PreparedPlan, standing: Standing
) -> None:
    before = {name: pool(route) for name, route in base.routes.items()}
    plan = overlay(base, standing)
    off = set(standing.get("target_off", {}))
    for route in plan.routes.values():
        assert route.off is not None or not off & set(pool(route))
        assert route.off is not None or not any(
            it.target.name in off for chain in route.fallbacks.values() for it in chain
        )
        assert route.off is not None or route.pool[0].target is route.target
    assert {name: pool(route) for name, route in base.routes.items()} == before
    assert set(plan.routes) == set(base.routes)


@pytest.fixture(scope="module")
def canaried() -> PreparedPlan:
    """`small` over a, with a candidate over b that may fall back on c."""
    [stable] = routed(A).values()
    [coming] = routed(B, unavailable=(C,)).values()
    candidate = Candidate("small/v2", "salt", coming)
    return prepared(plan_of(C, routes={"small": replace(stable, candidate=candidate)}))


def candidate_of(plan: PreparedPlan) -> PreparedCandidate:
    candidate = plan.routes["small"].candidate
    assert candidate is not None
    return candidate


def test_a_candidate_has_the_weight_that_is_held_and_without_one_none(
    canaried: PreparedPlan,
) -> None:
    standing: Standing = {"release_weight": {"small": 0.05, "c": 1.0}, "shadow_share": {"small": 1}}
    plan = overlay(canaried, standing)
    assert (candidate_of(plan).weight, candidate_of(plan).shadow_share) == (0.05, 1)
    assert plan.routes["c"] is canaried.routes["c"], "it has no candidate"
    assert (candidate_of(canaried).weight, candidate_of(canaried).shadow_share) == (0.0, 0.0)
    assert candidate_of(plan).firsts is candidate_of(canaried).firsts, "who came first stays known"


@pytest.mark.parametrize("clamp", [{"release_off": {"small": 1.0}}, {"release_off": {EVERY: 1.0}}])
def test_a_clamp_beats_a_canary(canaried: PreparedPlan, clamp: Standing) -> None:
    plan = overlay(canaried, {"release_weight": {"small": 0.5}, **clamp})
    assert (candidate_of(plan).weight, candidate_of(plan).shadow_share) == (0.0, 0.0)


def test_a_candidate_whose_targets_are_off_gets_nobody(canaried: PreparedPlan) -> None:
    half: Standing = {"release_weight": {"small": 0.5}}
    for off in ({"b": 1.0}, {"b": 1.0, "c": 1.0}):  # a fallback would be judged in its place
        plan = overlay(canaried, {**half, "target_off": off})
        assert (candidate_of(plan).weight, candidate_of(plan).shadow_share) == (0.0, 0.0)
        assert plan.routes["small"].off is None, "the stable arm serves"
    plan = overlay(canaried, {**half, "target_off": {"c": 1.0}})
    assert candidate_of(plan).weight == 0.5
    assert candidate_of(plan).route.fallbacks["unavailable"] == ()


def test_a_route_that_is_called_like_a_dial_keeps_it_from_no_release() -> None:
    [stable] = routed(A).values()
    one = Candidate("small/one", "salt", *routed(B).values(), lane=Lane("l", 0))
    routes = {"small": replace(stable, candidate=one), "small@one": stable}
    plan = laid(prepared(plan_of(C, routes=routes)), "release_weight", **{"small@one": 0.1})
    assert [it.weight for it in plan.routes["small"].candidates] == [0.1]


def test_releases_in_lanes_have_their_own_dials_and_their_routes_clamps() -> None:
    [stable] = routed(A).values()
    first, second = routed(B).values(), routed(C).values()
    one = Candidate("small/one", "salt", *first, lane=Lane("l", 0))
    two = Candidate("small/two", "salt", *second, lane=Lane("l", 1))
    base = prepared(plan_of(C, routes={"small": replace(stable, candidate=one, beside=two)}))
    dials: Standing = {
        "release_weight": {"small@one": 0.1, "small@two": 0.4, "small": 0.9},
        "shadow_share": {"small@two": 0.2},
    }

    def weighed(standing: Standing) -> list[tuple[float, float]]:
        route = overlay(base, standing).routes["small"]
        return [(it.weight, it.shadow_share) for it in route.candidates]

    assert weighed(dials) == [(0.1, 0.0), (0.4, 0.2)]
    assert weighed({"release_weight": {"small@two": 0.4}}) == [(0.0, 0.0), (0.4, 0.0)]
    assert weighed({**dials, "target_off": {"b": 1.0}}) == [(0.0, 0.0), (0.4, 0.2)]
    assert weighed({**dials, "release_off": {"small": 1.0}}) == [(0.0, 0.0), (0.0, 0.0)]
    capped = overlay(base, {**dials, "output_cap_tokens": {"small": 9}}).routes["small"]
    assert [it.route.output_cap_tokens for it in capped.candidates] == [9, 9]


def test_what_is_kept_warm_is_asked_nothing_either_while_it_is_off() -> None:
    [route] = routed(A).values()
    plan = prepared(plan_of(C, routes={"small": replace(route, kept_warm=(B,))}))
    assert [it.target.name for it in plan.routes["small"].reachable()] == ["a", "b"]
    off = overlay(plan, {"target_off": {"b": 1.0}})
    assert [it.target.name for it in off.routes["small"].reachable()] == ["a"]


def test_a_bound_on_answers_is_of_both_arms(canaried: PreparedPlan) -> None:
    plan = overlay(canaried, {"output_cap_tokens": {"small": 50}})
    assert plan.routes["small"].output_cap_tokens == 50
    assert candidate_of(plan).route.output_cap_tokens == 50


def test_a_cache_that_is_off_is_so_for_a_candidate_too() -> None:
    cache = RouteCache(ExactCache())
    route, coming = (replace(next(iter(routed(it).values())), cache=cache) for it in (A, B))
    route = replace(route, candidate=Candidate("small/v2", "salt", coming))
    base = prepared(plan_of(A, B, routes={"small": route, "b": coming}))
    plan = laid(base, "exact_cache_off", small=1)
    small = plan.routes["small"]
    for one in (small, candidate_of(plan).route):
        assert one.cache is not None and one.cache.exact_off
    assert plan.routes["b"] is base.routes["b"]
    assert laid(base, "exact_cache_off", small=0) is base


def test_the_semantic_tier_of_both_arms_is_switched_off_or_held_to_more() -> None:
    [stable] = giving(plan_of(routes=routed(A)), near()).routes.values()
    [coming] = giving(plan_of(routes=routed(B)), near()).routes.values()
    both = replace(stable, candidate=Candidate("small/v2", "salt", coming))
    base = prepared(plan_of(C, routes={"small": both}))
    off = overlay(base, {"semantic_cache_off": {EVERY: 1}})
    floored = overlay(base, {"semantic_threshold_floor": {EVERY: 0.7, "small": 0.95}})
    for plan, is_off, floor in ((base, False, 0.0), (off, True, 0.0), (floored, False, 0.95)):
        for route in (plan.routes["small"], candidate_of(plan).route):
            assert route.cache is not None
            assert (route.cache.semantic_off, route.cache.floor) == (is_off, floor)
