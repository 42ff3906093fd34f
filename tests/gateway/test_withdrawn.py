from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.canaried import ROLLOUT, prepared_canary, receipt

from tidegate.core.arm import Arm
from tidegate.gateway.prepared_route import PreparedRoute
from tidegate.gateway.progress import Progress
from tidegate.gateway.withdrawn import Withdrawn, check_version, withdrawn


class _World:
    """What is looked at of one: the plan of now."""

    def __init__(self, now: PreparedRoute | None) -> None:
        routes = {} if now is None else {"small": now}
        self.plan = type("Plan", (), {"routes": routes})()


def of(route: PreparedRoute, arm: Arm | None, now: PreparedRoute | None) -> bool:
    """Whether a request that was resolved by `route` is withdrawn by what is obeyed `now`."""
    progress: Any = Progress(receipt(route="small", arm=arm), None, 0.0, None)  # type: ignore[arg-type]
    progress.route = route
    world: Any = _World(now)
    return withdrawn(progress, world) is not None


def own(now: PreparedRoute, **fields: Any) -> PreparedRoute:
    """The route without its candidate, with `fields` of its plan."""
    return replace(now, candidate=None, route=replace(now.route, **fields))


def test_a_candidate_without_a_weight_is_nobodys() -> None:
    route = prepared_canary()
    assert route.candidate is not None
    coming = route.candidate.route
    assert not of(coming, "canary", route)
    assert of(coming, "canary", prepared_canary(0.0))
    shadowed = prepared_canary(0.0)
    assert shadowed.candidate is not None
    shadowed.candidate.shadow_share = 0.1
    assert not of(coming, "shadow", shadowed)
    assert of(coming, "shadow", prepared_canary(0.0))


def test_one_that_is_gone_is_nobodys_unless_it_was_promoted() -> None:
    route = prepared_canary()
    assert route.candidate is not None
    coming = route.candidate.route
    assert of(coming, "canary", own(route))
    assert of(coming, "canary", own(route, came_by=("small/other",)))
    assert not of(coming, "canary", own(route, came_by=(ROLLOUT,)))


@pytest.mark.parametrize("arm", [None, "stable"])
def test_a_promotion_is_withdrawn_by_being_taken_back_alone(arm: Arm | None) -> None:
    route = prepared_canary()
    promoted = own(route, came_by=(ROLLOUT,))
    assert not of(promoted, arm, own(route))  # it has ended well: nobody can take it back
    assert of(promoted, arm, own(route, taken_back=("small/older", ROLLOUT)))


def test_the_stable_version_and_a_route_that_is_gone_are_no_word_of_a_release() -> None:
    route = prepared_canary()
    assert route.candidate is not None
    assert not of(route, "stable", own(route, taken_back=(ROLLOUT,)))
    assert not of(route.candidate.route, "canary", None)


def test_it_is_raised_where_nothing_has_been_sent() -> None:
    route = prepared_canary()
    assert route.candidate is not None
    progress: Any = Progress(receipt(route="small", arm="canary"), None, 0.0, None)  # type: ignore[arg-type]
    progress.route = route.candidate.route
    world: Any = _World(prepared_canary(0.0))
    with pytest.raises(Withdrawn):
        check_version(progress, world)
