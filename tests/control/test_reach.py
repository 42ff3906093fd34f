"""What a change would reach in the plan of now."""

import pytest
from msgspec.structs import replace
from tests.gateway.rig import plan_of, target
from tests.gateway.routed import routed
from tests.stores.changed import change

from tidegate.control.reach import left_without, missing
from tidegate.core.arm import Lane
from tidegate.core.plan import Candidate

A, B = target(1, "a"), target(1, "b")
PLAN = plan_of(A, B, routes=routed(A, unavailable=(B,), overflow=(B,)))


@pytest.mark.parametrize(
    ("lever", "scope", "says"),
    [
        ("target_off", "a", None),
        ("target_off", "aa", "there is no target"),
        ("target_off", "*", None),
        ("route_off", "small", None),
        ("route_off", "smal", "there is no route"),
        ("target_weight", "small/a", None),
        ("target_weight", "small/b", "there is no route and target"),
        ("release_weight", "small", "no release under way"),
        ("shed_rank", "", None),
        ("ladder_floor", "small", "has no `ladder`"),
        ("ladder_floor", "*", None),
    ],
)
def test_what_is_not_there_is_said(lever: str, scope: str, says: str | None) -> None:
    found = missing(PLAN, lever, scope)
    assert found is None if says is None else says in (found or "")


def test_a_route_that_something_stands_in_for_is_served() -> None:
    assert left_without(PLAN, [], "a") == ["a"]
    assert left_without(PLAN, [change(scope="a")], "b") == ["b", "small"]
    assert left_without(PLAN, [change(scope="a"), change(scope="b")], "b") == [], "as before"
    assert left_without(PLAN, [], "*") == ["a", "b", "small"]


def test_dials_of_releases_in_lanes_are_named_by_their_release() -> None:
    [route] = routed(A).values()
    [coming] = routed(B).values()
    candidate = Candidate("small/next", "salt", coming, lane=Lane("l", 1))
    plan = plan_of(A, B, routes={"small": replace(route, candidate=candidate)})
    assert missing(plan, "release_weight", "small@next") is None
    assert "small@next" in (missing(plan, "release_weight", "small") or "")
    assert "no release under way in a lane" in (missing(plan, "shadow_share", "small@other") or "")
    assert missing(plan, "release_off", "small") is None
