"""A ladder made ready, and as changes in force have it."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.rig import plan_of, target
from tests.gateway.routed import routed

from tidegate.core.ladder import FAILURES, Rung, When
from tidegate.core.levers import EVERY
from tidegate.core.plan import Candidate, Plan
from tidegate.gateway.overlay import overlay
from tidegate.gateway.prepared import PreparedPlan, Preparer
from tidegate.gateway.prepared_route import PreparedLadder
from tidegate.stores.memory_counters import memory_counters

A, B, C = (target(1, name) for name in "abc")
DOWN = When(("unavailable",))
RUNGS = (
    Rung("short", when=When(budget_percent=80, slow_answer_s=2.0), max_output_tokens=5),
    Rung("other", when=DOWN, target="b"),
    Rung("third", when=When(slow_first_token_s=3.0), target="c"),
    Rung("sorry", "apology", When(FAILURES), text="Sorry."),
)


def prepared(plan: Plan) -> PreparedPlan:
    return asyncio.run(Preparer({}, memory_counters).prepare(plan))


def plan(*rungs: Rung, **fields: Any) -> Plan:
    routes = routed(A, ladder=rungs, rung_targets=(B, C), **fields)
    return plan_of(A, routes=routes)


@pytest.fixture(scope="module")
def base() -> PreparedPlan:
    return prepared(plan(*RUNGS))


def ladder(found: PreparedPlan) -> PreparedLadder:
    made = found.routes["small"].ladder
    assert made is not None
    return made


def test_a_route_without_a_ladder_has_none(base: PreparedPlan) -> None:
    assert base.routes["a"].ladder is None
    assert ladder(base).floor == 0


def test_what_a_rung_asks_is_reached_and_is_no_part_of_what_its_route_holds(
    base: PreparedPlan,
) -> None:
    route = base.routes["small"]
    assert [it.target.name for it in route.targets()] == ["a"]
    assert [it.target.name for it in route.reachable()] == ["a", "b", "c"]
    assert route.bound.target.name == "a"


def test_what_is_further_down_than_each_rung(base: PreparedPlan) -> None:
    found = ladder(base)
    assert found.words[0] == {*FAILURES, "budget", "slow_answer", "slow_first_token"}
    assert found.words[3] == set(FAILURES)
    assert found.words[4] == frozenset()
    assert found.patience == ((2.0, 3.0), (None, 3.0), (None, 3.0), (None, None), (None, None))
    below = found.below(1, ("timeout", "unavailable"))
    assert [(it.rung.name, why) for it, why in below] == [
        ("other", "unavailable"),
        ("sorry", "timeout"),
    ]


def test_a_target_that_is_off_is_off_on_its_rungs(base: PreparedPlan) -> None:
    laid = ladder(overlay(base, {"target_off": {"c": 1.0}}))
    assert [it.off for it in laid.rungs] == [False, False, True, False]
    assert laid.patience[0] == (2.0, None)  # nobody is there for what is slow
    assert ladder(overlay(base, {"target_off": {"a": 0.0}})) is ladder(base)


def test_without_a_target_of_its_own_a_route_is_on_its_ladder(base: PreparedPlan) -> None:
    laid = overlay(base, {"target_off": {"a": 1.0}})
    found = ladder(laid)
    assert laid.routes["small"].off is None
    assert (found.floor, found.reason, found.empty) == (2, "unavailable", True)
    assert laid.routes["a"].off is not None
    every = ladder(overlay(base, {"target_off": {EVERY: 1.0}}))
    assert (every.floor, every.empty) == (4, True)


def test_without_a_rung_for_that_it_is_off() -> None:
    found = prepared(plan(Rung("short", when=DOWN, max_output_tokens=5)))
    assert overlay(found, {"target_off": {"a": 1.0}}).routes["small"].off is not None


@pytest.mark.parametrize(
    ("standing", "floor"),
    [({"small": 2.0}, 2), ({EVERY: 1.0}, 1), ({EVERY: 3.0, "small": 2.0}, 3), ({"small": 9.0}, 4)],
)
def test_a_floor_holds_the_further_of_two(
    base: PreparedPlan, standing: dict[str, float], floor: int
) -> None:
    laid = overlay(base, {"ladder_floor": standing})
    assert ladder(laid).floor == floor
    assert laid.routes["a"] is base.routes["a"]


def test_a_floor_and_a_target_that_is_off(base: PreparedPlan) -> None:
    laid = ladder(overlay(base, {"ladder_floor": {"small": 4.0}, "target_off": {"a": 1.0}}))
    assert (laid.floor, laid.empty) == (4, True)


def test_releases_under_way_have_the_ladder_too() -> None:
    own = plan(*RUNGS).routes["small"]
    coming = Candidate("small/r", "salt", replace(own, release=replace(own.release, name="new")))
    found = prepared(plan_of(A, routes={"small": replace(own, candidate=coming)}))
    laid = overlay(found, {"ladder_floor": {"small": 2.0}}).routes["small"]
    assert laid.candidate is not None
    floor = laid.candidate.route.ladder
    assert floor is not None
    assert floor.floor == 2
    rung = floor.rungs[1].route
    assert rung is not None
    assert b"x-tidegate-arm: canary" in rung.heads["b"]
    assert b"x-tidegate-release: new" in rung.heads["b"]
