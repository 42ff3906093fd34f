"""Versions, plans and certificates of one prompt, for what asks whether a version is certified."""

from typing import Any

from tests.core.test_certificate import NOW_S, PLAIN, SECRET
from tests.gateway.rig import plan_of, target
from tests.gateway.routed import routed

from tidegate.control.certified import Certified, Fingerprints, Snapshots
from tidegate.core.certificate import Certificate
from tidegate.core.plan import Candidate, Plan, Route
from tidegate.core.prompt import Prompt, RoutePrompt, Tagged, Turn


def prompt(version: str = "v4", **fields: Any) -> Prompt:
    digest = PLAIN.digest if version == "v4" else f"digest-{version}"
    return Prompt("support", version, digest, (Turn("system", "x"),), **fields)


def certified(
    *kept: Certificate,
    snapshots: Snapshots | None = None,
    fingerprints: Fingerprints | None = None,
) -> Certified:
    def of(digest: str) -> list[Certificate]:
        return [it for it in kept if it.digest == digest]

    return Certified(of, (SECRET,), NOW_S, snapshots, fingerprints)


def route(model: str = "m-1", **wanted: Any) -> Route:
    """Asked at one model by the prompt; `falls_back_to` is another model."""
    beyond = wanted.pop("falls_back_to", None)
    more = {} if beyond is None else {"unavailable": (target(1, "b", model=beyond),)}
    coming = wanted.pop("candidate", None)
    found = routed(target(1, "a", model=model), prompt=RoutePrompt("support", **wanted), **more)
    candidate = None if coming is None else Candidate("small/next", "salt", coming)
    return Route(**{**_fields(found["small"]), "candidate": candidate})


def plan(model: str = "m-1", served: str = "v3", **wanted: Any) -> Plan:
    """`stable` points at `served`."""
    known = Tagged("support", {"stable": served}, {it: prompt(it) for it in (served, "v7")})
    return plan_of(routes={"small": route(model, **wanted)}, prompts={"support": known})


def _fields(found: Route) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Route.__struct_fields__}
