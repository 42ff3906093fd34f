"""What a change would reach in the plan of now: whether there is such a thing, and what would be
left without a target. Pure."""

from collections.abc import Iterable

from tidegate.core.arm import dial_scope
from tidegate.core.change import Change
from tidegate.core.levers import EVERY, LEVERS, splits
from tidegate.core.plan import Plan, Route
from tidegate.core.words import nearest, quoted

_OF_CANDIDATE = frozenset({"release_weight", "shadow_share"})


def missing(plan: Plan, lever: str, scope: str) -> str | None:
    """What of a scope the plan does not have; None where it is all there."""
    of = LEVERS[lever].scope
    if of == "everything" or scope == EVERY:
        return None
    if of == "target":
        there = scope in plan.targets
        return (
            None if there else f"there is no target {quoted(scope)}{nearest(scope, plan.targets)}"
        )
    if of == "route/target":
        if any(_shares(plan, name, target) for name, target in splits(scope)):
            return None
        return f"there is no route and target {quoted(scope)}: write ROUTE/TARGET of its release"
    route = plan.routes.get(scope)
    if lever in _OF_CANDIDATE and route is None and "@" in scope:
        return _missing_in_lane(plan, scope)
    if route is None:
        return f"there is no route {quoted(scope)}{nearest(scope, plan.routes)}"
    if lever == "ladder_floor" and not route.ladder:
        return f"route {quoted(scope)} has no `ladder`"
    if lever in _OF_CANDIDATE and route.candidate is None:
        return f"route {quoted(scope)} has no release under way"
    if lever in _OF_CANDIDATE and route.candidate is not None and route.candidate.lane is not None:
        scopes = " or ".join(_scopes_of(route))
        return f"releases of route {quoted(scope)} have a lane each: name {scopes}"
    return None


def _scopes_of(route: Route) -> list[str]:
    return [
        dial_scope(route.name, it.rollout, in_lane=it.lane is not None) for it in route.candidates
    ]


def _missing_in_lane(plan: Plan, scope: str) -> str | None:
    route = plan.routes.get(scope.rpartition("@")[0])
    if route is not None and scope in _scopes_of(route):
        return None
    return f"there is no release under way in a lane of its route that {quoted(scope)} names"


def left_without(plan: Plan, in_force: Iterable[Change], off: str) -> list[str]:
    """The routes that nothing would serve any more with this target off too, and which something
    serves now."""
    before = {one.scope for one in in_force if one.lever == "target_off" and one.value}
    after = before | {off}
    return [
        name
        for name, route in plan.routes.items()
        if _served(route, before) > _served(route, after)
    ]


def _served(route: Route, off: set[str]) -> bool:
    if EVERY in off:
        return False
    standing_in = [it for of, chain in route.fallbacks if of == "unavailable" for it in chain]
    own = [share.target for share in route.release.shares]
    return any(target.name not in off for target in (*own, *standing_in))


def _shares(plan: Plan, route: str, target: str) -> bool:
    found = plan.routes.get(route)
    return found is not None and any(it.target.name == target for it in found.release.shares)
