"""Targets and routes made ready, without pools to connect by."""

from typing import Any, cast

from tests.gateway.rig import target

from tidegate.core.ask import Ask
from tidegate.core.credential import Addressed
from tidegate.core.plan import Route, Target
from tidegate.core.pricing import Ceiling
from tidegate.core.secret import Secret
from tidegate.gateway.breaker import CircuitBreaker, Tripped
from tidegate.gateway.credential import Credential
from tidegate.gateway.prepared_route import PreparedRoute, prepare_route
from tidegate.gateway.prepared_target import Pace, PreparedReplica, PreparedTarget
from tidegate.gateway.retry_budget import RetryBudget

ASK = Ask("chat", b'{"model":"small","messages":[]}', {}, "small")


class Pool:
    """How much is under way at a replica."""

    def __init__(self, load: int = 0) -> None:
        self.in_flight, self.waiting = load, 0


class Provider:
    endpoints = frozenset({"chat"})
    hosted = True


def prepared(
    one: Target | str, loads: tuple[int, ...] = (0,), credentials: tuple[str, ...] = ("",)
) -> PreparedTarget:
    """A target with a replica for each of `loads`, with each of these credentials."""
    it = target(1, one) if isinstance(one, str) else one
    tripped = Tripped()
    pools = [Pool(load) for load in loads]
    replicas = []
    for name in credentials:
        credential = Credential(name, Secret(name) if name else None, tripped)
        for number, pool in enumerate(pools):
            replica = PreparedReplica(f"r{number}", cast("Any", pool), b"", b"", Addressed("h"))
            replica.credential = credential
            replica.breaker = CircuitBreaker(it.breaker, tripped)
            replicas.append(replica)
    ceiling = None if it.price is None else Ceiling(it.price)
    return PreparedTarget(it, cast("Any", Provider()), replicas, ceiling, None, tripped, Pace())


def route_of(route: Route, *targets: PreparedTarget) -> PreparedRoute:
    by_name = {it.target.name: it for it in targets}
    for it in route.targets:
        by_name.setdefault(it.name, prepared(it))
    return prepare_route(route, by_name, RetryBudget(route.retry))


def trip(it: PreparedTarget, now_s: float, *which: int) -> None:
    """Opens the breakers of these replicas, or of all."""
    for number, replica in enumerate(it.replicas):
        if not which or number in which:
            for _ in range(it.target.breaker.failures):
                replica.breaker.told("failed", False, now_s)
