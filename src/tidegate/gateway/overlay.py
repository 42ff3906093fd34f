"""The plan with the changes in force laid over it: dials first, then clamps. Pure.

Only what a change touches is made anew; requests go on reading plain fields of the plan.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from tidegate.core.levers import EVERY, LEVERS, Lever, merged, splits
from tidegate.gateway.cache_key import PreparedCache
from tidegate.gateway.levers import Standing
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_route import (
    NO_TARGET,
    PreparedCandidate,
    PreparedRoute,
    PreparedShare,
)
from tidegate.gateway.world import World

_SWITCHED_OFF: Final = "that model is switched off by its operators for now"
_OUTPUT_CAP: Final = LEVERS["output_cap_tokens"]
_FLOOR: Final = LEVERS["ladder_floor"]
_ROUTE_OFF: Final = LEVERS["route_off"]
_RELEASE_OFF: Final = LEVERS["release_off"]
_SEMANTIC_OFF: Final = LEVERS["semantic_cache_off"]
_SEMANTIC_FLOOR: Final = LEVERS["semantic_threshold_floor"]
_EXACT_OFF: Final = LEVERS["exact_cache_off"]
_EMBEDDINGS_OFF: Final = LEVERS["embeddings_cache_off"]
_NONE: Final[Mapping[str, float]] = {}


def put_in_force(world: World, base: PreparedPlan, standing: Standing) -> None:
    """What requests obey from now on; `base` is the plan without any change."""
    world.plan = overlay(base, standing)
    world.queues.cap(standing.get("concurrency_cap", _NONE))
    world.queues.turn_away()
    world.queues.close(_off(base, standing.get("target_off", _NONE)))
    world.pressure.shed(int(standing.get("shed_rank", _NONE).get("", 0)))


def overlay(base: PreparedPlan, standing: Standing) -> PreparedPlan:
    """`base` itself where nothing holds a lever that requests obey."""
    off = _off(base, standing.get("target_off", _NONE))
    moved = _dialled(base, standing)
    for name, route in base.routes.items() if off else ():
        laid = moved.get(name, route)
        without = _without(laid, off)
        if without is not laid:
            moved[name] = without
    for name, most in _of_routes(base, standing, _OUTPUT_CAP).items():
        moved[name] = _capped(moved.get(name, base.routes[name]), int(most))
    for name, floor in _of_routes(base, standing, _SEMANTIC_FLOOR).items():
        moved[name] = _floored(moved.get(name, base.routes[name]), floor)
    for name, floor in _of_routes(base, standing, _FLOOR).items():
        moved[name] = _lowered(moved.get(name, base.routes[name]), int(floor))
    for lever, change in _FLAGS:
        for name, flag in _of_routes(base, standing, lever).items():
            if flag:
                moved[name] = change(moved.get(name, base.routes[name]))
    probed = {name: probe for name, probe in base.probes.items() if name not in off}
    if not moved and len(probed) == len(base.probes):
        return base
    return replace(base, routes={**base.routes, **moved}, probes=probed)


def _dialled(base: PreparedPlan, standing: Standing) -> dict[str, PreparedRoute]:
    """The routes that a dial moves."""
    moved: dict[str, PreparedRoute] = {}
    by_route: dict[str, dict[str, float]] = {}
    for scope, weight in standing.get("target_weight", _NONE).items():
        for name, target in splits(scope):
            if name in base.routes and target in base.routes[name].heads:
                by_route.setdefault(name, {})[target] = weight
    for name, weights in by_route.items():
        moved[name] = _weighted(base.routes[name], weights)
    shares = standing.get("shadow_share", _NONE)
    of_units = standing.get("release_weight", _NONE)
    for name in _routes_of(of_units.keys() | shares.keys()):
        route = moved.get(name, base.routes.get(name))
        if route is not None:
            moved[name] = _with_candidates(
                route,
                lambda one: replace(
                    one,
                    weight=of_units.get(one.scope, 0.0),
                    shadow_share=shares.get(one.scope, 0.0),
                ),
            )
    return moved


def _routes_of(scopes: Iterable[str]) -> set[str]:
    """The routes whose releases' dials these may be, held for one or for `ROUTE@NAME`: a route may
    have such a name too."""
    return {name for scope in scopes for name in (scope, scope.rpartition("@")[0])}


def _with_candidates(
    route: PreparedRoute, change: Callable[[PreparedCandidate], PreparedCandidate]
) -> PreparedRoute:
    """The route with its candidates changed, itself where it has none."""
    if route.candidate is None:
        return route
    beside = None if route.beside is None else change(route.beside)
    return replace(route, candidate=change(route.candidate), beside=beside)


def _weighted(route: PreparedRoute, weights: Mapping[str, float]) -> PreparedRoute:
    """At least one target keeps a weight, or the declared ones stand: a dial switches nothing
    off."""
    pool = tuple(
        PreparedShare(share.target, weights.get(share.target.target.name, share.weight))
        for share in route.pool
    )
    some = tuple(share for share in pool if share.weight > 0)
    return _with_pool(route, some) if some else route


def _without(route: PreparedRoute, off: frozenset[str]) -> PreparedRoute:
    """Without these targets, itself where it has none of them. Where none of its own is left, the
    first that stands in for what is unavailable serves; where there is none either, it is off. A
    candidate with none of its own gets nobody: what stands in for it says nothing of it."""
    if any(_reaches(one.route, off) for one in route.candidates):
        route = _with_candidates(route, lambda one: _candidate_without(one, off))
    ladder = route.ladder
    if ladder is not None and (lower := ladder.without(off)) is not ladder:
        route = replace(route, ladder=lower)
    if off.isdisjoint(route.heads):
        return route
    fallbacks = {
        failure: tuple(it for it in chain if it.target.name not in off)
        for failure, chain in route.fallbacks.items()
    }
    pool = tuple(share for share in route.pool if share.target.target.name not in off)
    if not pool:
        pool = tuple(PreparedShare(it, 1.0) for it in fallbacks.get("unavailable", ())[:1])
    if not pool:
        return _without_own(route)
    warm = tuple(it for it in route.warm if it.target.name not in off)
    return _with_pool(replace(route, fallbacks=fallbacks, warm=warm), pool)


def _reaches(route: PreparedRoute, off: frozenset[str]) -> bool:
    return not off.isdisjoint(route.heads) or (
        route.ladder is not None and route.ladder.without(off) is not route.ladder
    )


def _without_own(route: PreparedRoute) -> PreparedRoute:
    """Nothing of its own may be asked: the first rung that is there for that serves, if any."""
    ladder = route.ladder
    for rung, _ in () if ladder is None else ladder.below(0, ("unavailable",)):
        if not rung.off and not (rung.asks and rung.route is None):
            assert ladder is not None  # noqa: S101 - it has this rung
            lower = replace(ladder.beginning(rung.number, "unavailable"), empty=True)
            return replace(route, ladder=lower)
    return replace(route, off=NO_TARGET)


def _candidate_without(candidate: PreparedCandidate, off: frozenset[str]) -> PreparedCandidate:
    pool = candidate.route.pool
    candidate = replace(candidate, route=_without(candidate.route, off))
    if all(share.target.target.name in off for share in pool):
        return _nobodys(candidate)
    return candidate


def _capped(route: PreparedRoute, most_tokens: int) -> PreparedRoute:
    capped = _with_candidates(
        route, lambda one: replace(one, route=_capped(one.route, most_tokens))
    )
    return replace(capped, output_cap_tokens=most_tokens)


def _lowered(route: PreparedRoute, floor: int) -> PreparedRoute:
    """Its requests begin at that rung, also those of its releases."""
    route = _with_candidates(route, lambda one: replace(one, route=_lowered(one.route, floor)))
    return route if route.ladder is None else replace(route, ladder=route.ladder.beginning(floor))


def _unreleased(route: PreparedRoute) -> PreparedRoute:
    return _with_candidates(route, _nobodys)


def _nobodys(candidate: PreparedCandidate) -> PreparedCandidate:
    return replace(candidate, weight=0.0, shadow_share=0.0)


def _closed(route: PreparedRoute) -> PreparedRoute:
    return replace(route, off=_SWITCHED_OFF)


def _floored(route: PreparedRoute, floor: float) -> PreparedRoute:
    return _with_cache(route, lambda cache: replace(cache, floor=floor))


def _without_exact(route: PreparedRoute) -> PreparedRoute:
    return _with_cache(route, lambda cache: replace(cache, exact_off=True))


def _without_semantic(route: PreparedRoute) -> PreparedRoute:
    return _with_cache(route, lambda cache: replace(cache, semantic_off=True))


def _without_vectors(route: PreparedRoute) -> PreparedRoute:
    route = _with_candidates(route, lambda one: replace(one, route=_without_vectors(one.route)))
    if route.vectors is None:
        return route
    return replace(route, vectors=replace(route.vectors, off=True))


def _with_cache(
    route: PreparedRoute, change: Callable[[PreparedCache], PreparedCache]
) -> PreparedRoute:
    """Its releases' too."""
    route = _with_candidates(route, lambda one: replace(one, route=_with_cache(one.route, change)))
    return route if route.cache is None else replace(route, cache=change(route.cache))


def _with_pool(route: PreparedRoute, pool: tuple[PreparedShare, ...]) -> PreparedRoute:
    return replace(route, pool=pool, target=pool[0].target, alone=len(pool) == 1)


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


_FLAGS: Final = (
    (_SEMANTIC_OFF, _without_semantic),
    (_EXACT_OFF, _without_exact),
    (_EMBEDDINGS_OFF, _without_vectors),
    (_RELEASE_OFF, _unreleased),
    (_ROUTE_OFF, _closed),
)
