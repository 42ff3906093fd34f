"""The plan with the changes in force laid over it: dials first, then clamps. Pure.

Only what a change touches is made anew; requests go on reading plain fields of the plan.
"""

from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from tidegate.core.levers import EVERY, LEVERS, Lever, merged
from tidegate.gateway.levers import Standing
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import PreparedRoute, PreparedShare
from tidegate.gateway.world import World

_ROUTE_OFF: Final = "that model is switched off by its operators for now"
_NO_TARGET: Final = "everything that serves that model is switched off by its operators for now"
_OUTPUT_CAP: Final = LEVERS["output_cap_tokens"]
_OFF: Final = LEVERS["route_off"]
_NONE: Final[Mapping[str, float]] = {}


def put_in_force(world: World, base: PreparedPlan, standing: Standing) -> None:
    """What requests obey from now on; `base` is the plan without any change."""
    world.plan = overlay(base, standing)
    world.queues.cap(standing.get("concurrency_cap", _NONE))
    world.queues.close(_off(base, standing.get("target_off", _NONE)))
    world.pressure.shed(int(standing.get("shed_rank", _NONE).get("", 0)))


def overlay(base: PreparedPlan, standing: Standing) -> PreparedPlan:
    """`base` itself where nothing holds a lever that requests obey."""
    weights = _by_route(standing.get("target_weight", _NONE))
    off = _off(base, standing.get("target_off", _NONE))
    moved: dict[str, PreparedRoute] = {}
    for name, route in base.routes.items():
        laid = route
        if name in weights:
            laid = _weighted(laid, weights[name])
        if off and not off.isdisjoint(laid.heads):
            laid = _without(laid, off)
        if laid is not route:
            moved[name] = laid
    for name, most in _of_routes(base, standing, _OUTPUT_CAP).items():
        moved[name] = replace(moved.get(name) or base.routes[name], output_cap_tokens=int(most))
    for name, flag in _of_routes(base, standing, _OFF).items():
        if flag:
            moved[name] = replace(moved.get(name) or base.routes[name], off=_ROUTE_OFF)
    probed = {name: probe for name, probe in base.probes.items() if name not in off}
    if not moved and len(probed) == len(base.probes):
        return base
    return replace(base, routes={**base.routes, **moved}, probes=probed)


def _weighted(route: PreparedRoute, weights: Mapping[str, float]) -> PreparedRoute:
    """At least one target keeps a weight, or the declared ones stand: a dial switches nothing
    off."""
    pool = tuple(
        PreparedShare(share.target, weights.get(share.target.target.name, share.weight))
        for share in route.pool
    )
    some = tuple(share for share in pool if share.weight > 0)
    return _with_pool(route, some) if some else route


def _without(route: PreparedRoute, off: Collection[str]) -> PreparedRoute:
    """Without these targets. Where none of its own is left, the first that stands in for what is
    unavailable serves; where there is none either, the route is off."""
    fallbacks = {
        failure: tuple(it for it in chain if it.target.name not in off)
        for failure, chain in route.fallbacks.items()
    }
    pool = tuple(share for share in route.pool if share.target.target.name not in off)
    if not pool:
        pool = tuple(PreparedShare(it, 1.0) for it in fallbacks.get("unavailable", ())[:1])
    if not pool:
        return replace(route, off=_NO_TARGET)
    return _with_pool(replace(route, fallbacks=fallbacks), pool)


def _with_pool(route: PreparedRoute, pool: tuple[PreparedShare, ...]) -> PreparedRoute:
    return replace(route, pool=pool, target=pool[0].target, alone=len(pool) == 1)


def _by_route(weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for scope, weight in weights.items():
        route, _, target = scope.partition("/")
        found.setdefault(route, {})[target] = weight
    return found


def _of_routes(base: PreparedPlan, standing: Standing, lever: Lever) -> dict[str, float]:
    """By the route's name, with what holds every route merged in."""
    values = standing.get(lever.name, _NONE)
    if not values:
        return {}
    every = values.get(EVERY)
    if every is None:
        return {name: value for name, value in values.items() if name in base.routes}
    return {name: merged(lever, (every, values.get(name, every))) for name in base.routes}


def _off(base: PreparedPlan, values: Mapping[str, float]) -> frozenset[str]:
    """The targets that are asked nothing."""
    off = frozenset(name for name, flag in values.items() if flag)
    return frozenset(base.plan.targets) if EVERY in off else off
