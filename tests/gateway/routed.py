"""A route `small` over several targets, each with a provider of its own."""

from typing import Any

from tests.gateway.rig import target
from tests.gateway.upstream import Upstream

from tidegate.core.plan import Release, Route, Share, Target
from tidegate.core.resilience import Retry

SOON = Retry(base_s=0.001, cap_s=0.002)


def routed(*pool: Target, retry: Retry = SOON, **fields: Any) -> dict[str, Route]:
    """These targets share the requests; `unavailable` and the other classes are its fallbacks."""
    first, *others = pool
    classes = ("unavailable", "rate_limited", "overflow", "malformed", "refused_by_safety")
    fallbacks = tuple((name, fields.pop(name)) for name in classes if name in fields)
    shares = tuple(Share(one) for one in others)
    release = Release("small@1", first, 1.0, shares)
    return {"small": Route("small", release, retry=retry, fallbacks=fallbacks, **fields)}


def at(up: Upstream, name: str, **fields: Any) -> Target:
    return target(up.port, name, model=f"model-{name}", **fields)
