"""Every lever there is: all that the loop, a playbook or an operator can do to traffic.

A clamp moves only toward safety, any number may hold one, and they merge. A dial moves both ways
and has one holder. Clamps apply after dials. A lever's silence gives back what the plan declares.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct

ScopeKind = Literal["everything", "route", "target", "route/target"]
# The scope of a clamp that holds every route, or every target.
EVERY: Final = "*"


class Lever(Struct, frozen=True):
    """One row. `least` and `most` bound its value, in `unit`; a flag is 0 or 1."""

    name: str
    kind: Literal["clamp", "dial"]
    unit: str
    least: float
    most: float
    scope: ScopeKind
    merge: Literal["min", "max", "only"]
    meaning: str


def _rows(*levers: Lever) -> Mapping[str, Lever]:
    return {lever.name: lever for lever in levers}


LEVERS: Final = _rows(
    Lever("release_weight", "dial", "share", 0, 1, "route", "only", "of a candidate's units"),
    Lever("shadow_share", "dial", "share", 0, 1, "route", "only", "of requests copied to it"),
    Lever("target_weight", "dial", "weight", 0, 1e6, "route/target", "only", "among its route's"),
    Lever("release_off", "clamp", "flag", 0, 1, "route", "max", "no unit goes to the candidate"),
    Lever("target_off", "clamp", "flag", 0, 1, "target", "max", "it is asked nothing"),
    Lever("route_off", "clamp", "flag", 0, 1, "route", "max", "its requests are refused"),
    Lever("output_cap_tokens", "clamp", "tokens", 1, 1e9, "route", "min", "of an answer, at most"),
    Lever("ladder_floor", "clamp", "rung", 0, 16, "route", "max", "its requests begin there"),
    Lever("concurrency_cap", "clamp", "requests", 1, 1e6, "target", "min", "in flight a gateway"),
    Lever("shed_rank", "clamp", "rank", 0, 3, "everything", "max", "classes that are refused"),
    Lever("release_policy", "clamp", "state", 0, 3, "route", "max", "of its error budget"),
    Lever("semantic_cache_off", "clamp", "flag", 0, 1, "route", "max", "no other wording's answer"),
    Lever("semantic_threshold_floor", "clamp", "cosine", 0, 1, "route", "max", "of other wordings"),
    Lever("exact_cache_off", "clamp", "flag", 0, 1, "route", "max", "the same is asked anew"),
    Lever("embeddings_cache_off", "clamp", "flag", 0, 1, "route", "max", "vectors are asked anew"),
    Lever("frozen", "clamp", "flag", 0, 1, "route", "max", "no release moves on"),
)


def merged(lever: Lever, values: Iterable[float]) -> float:
    """What several holders come to, in any order; `values` is not empty."""
    return min(values) if lever.merge == "min" else max(values)


def wrong(name: str, scope: str, value: float) -> str | None:
    """What speaks against such a value of such a lever, as far as the table says; None: nothing.
    Whether there is such a route or target, the plan knows."""
    lever = LEVERS.get(name)
    if lever is None:
        return f"there is no lever {name}; there are {', '.join(LEVERS)}"
    if not math.isfinite(value) or not lever.least <= value <= lever.most:
        return f"{name} is from {lever.least:g} to {lever.most:g} {lever.unit}"
    if lever.unit == "flag" and value not in (0, 1):
        return f"{name} is 0 or 1"
    if lever.scope == "everything":
        return f"{name} is for everything: it has no scope" if scope else None
    if scope == EVERY:
        return None if lever.kind == "clamp" else f"{name} is of one {lever.scope}, not of every"
    pairs = lever.scope == "route/target"
    if not scope or (pairs and not any(True for _ in splits(scope))):
        return f"{name} is of a {lever.scope}, and {scope or 'nothing'} is named"
    return None


def splits(scope: str) -> Iterator[tuple[str, str]]:
    """What route and what target `ROUTE/TARGET` may mean: either's name may have a `/` in it."""
    at = scope.find("/", 1)
    while 0 < at < len(scope) - 1:
        yield scope[:at], scope[at + 1 :]
        at = scope.find("/", at + 1)
