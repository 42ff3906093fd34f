"""What one of Portkey's configs asks, as a route: a route says once for all of its targets what a
config may say of each."""

from typing import Any

from msgspec import Struct, field

from tidegate.config.moving import Findings
from tidegate.config.their_values import ANY_FAILURE
from tidegate.core.resilience import MAX_FALLBACKS


class Above(Struct, frozen=True):
    """What the parts above say of a target; with parameters and what is kept or tried again goes
    the way to it."""

    model: str | None = None
    total_s: float | None = None
    params: dict[str, tuple[object, str]] = {}
    attempts: tuple[int, str] | None = None
    cache: tuple[dict[str, Any], tuple[str, ...]] | None = None


class Leaf(Struct, frozen=True):
    """A target with what holds for it."""

    target: str
    held: Above


class Asked(Struct):
    """What a part of the config asks: targets with their weights, then others in their order.
    `leaves` are all of them."""

    weights: dict[str, float] = field(default_factory=dict)
    then: list[str] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)


def route_of(asked: Asked, found: Findings) -> dict[str, Any]:
    """In the words of the plan file."""
    route: dict[str, Any] = {}
    if len(asked.weights) == 1:
        route["target"] = next(iter(asked.weights))
    else:
        route["targets"] = dict(asked.weights)
    then = [it for it in dict.fromkeys(asked.then) if it not in asked.weights]
    if len(then) > MAX_FALLBACKS:
        said = f"a route has {MAX_FALLBACKS} fallbacks of a class at most"
        found.changed("targets", f"the first {MAX_FALLBACKS} fallbacks", said)
    if then:
        route["fallbacks"] = dict.fromkeys(ANY_FAILURE, then[:MAX_FALLBACKS])
    return {**route, **_shared(asked.leaves, found)}


def _shared(leaves: list[Leaf], found: Findings) -> dict[str, Any]:
    """What a route says once for all of its targets, where they say the same; what they do not is
    left, each by its way."""
    held = [leaf.held for leaf in leaves]
    route: dict[str, Any] = {}
    tries = {None if it.attempts is None else it.attempts[0] for it in held}
    caches = [None if it.cache is None else it.cache[0] for it in held]
    for it in held:
        if it.attempts is not None:
            _say(found, it.attempts[1], "routes.NAME.retry.attempts", same=len(tries) == 1)
        if it.cache is not None:
            one = all(cache == caches[0] for cache in caches)
            for where in it.cache[1]:
                _say(found, where, "routes.NAME.cache.exact", same=one)
    if len(tries) == 1 and held[0].attempts is not None:
        route["retry"] = {"attempts": held[0].attempts[0]}
    if caches[0] is not None and all(cache == caches[0] for cache in caches):
        route["cache"] = {"exact": caches[0]}
    parameters: dict[str, Any] = {}
    for name in dict.fromkeys(name for it in held for name in it.params):
        values = [it.params[name][0] if name in it.params else None for it in held]
        same = all(value == values[0] for value in values)
        for it in held:
            if name in it.params:
                _say(found, it.params[name][1], "routes.NAME.parameters", same=same)
        if same:
            parameters[name] = values[0]
    if parameters:
        said = "the caller's own value goes before the route's, there the config's does"
        found.changed("override_params", "routes.NAME.parameters", said)
        route["parameters"] = parameters
    return route


def _say(found: Findings, where: str, ours: str, *, same: bool) -> None:
    if same:
        found.carried(where, ours)
    else:
        said = "its targets do not share it, and a route says it once: give each a route of its own"
        found.left(where, said)
