"""A route `small` with a release under way on it, and requests of it."""

from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace
from tests.gateway.prepared import prepared
from tests.gateway.rig import make_key, target
from tests.gateway.routed import routed

from tidegate.core.arm import Lane
from tidegate.core.ask import Ask
from tidegate.core.key import KeyRecord
from tidegate.core.plan import Candidate, Route, Target
from tidegate.core.receipt import Receipt
from tidegate.gateway.copies import Copies
from tidegate.gateway.first_versions import FirstVersions
from tidegate.gateway.prepared_route import PreparedRoute, prepare_candidate, prepare_route
from tidegate.gateway.retry_budget import RetryBudget

ROLLOUT = "small/next"
OTHER = "small/other"
SALT = "salt"


def canaried(stable: Target, coming: Target, **fields: Any) -> dict[str, Route]:
    """`coming` is on its way in place of `stable`; `fields` are of the candidate, those that begin
    with `with_` of its route."""
    changed = {n.removeprefix("with_"): fields.pop(n) for n in list(fields) if n[:5] == "with_"}
    [after] = routed(coming, **changed).values()
    after = replace(after, release=replace(after.release, name="small@2"), came_by=(ROLLOUT,))
    [route] = routed(stable).values()
    candidate = Candidate(ROLLOUT, SALT, after, **fields)
    return {"small": replace(route, candidate=candidate)}


def prepared_canary(weight: float = 0.5, **fields: Any) -> PreparedRoute:
    """The same, prepared, without any connection; `coming` is the target of the candidate."""
    route = canaried(target(1, "stable"), target(2, "coming"), **fields)["small"]
    assert route.candidate is not None
    targets = {it.name: prepared(it) for it in route.reachable}
    found = prepare_route(route, targets, RetryBudget(route.retry), None, "stable")
    after = route.candidate.route
    coming = prepare_route(after, targets, RetryBudget(after.retry), None, "canary")
    found.candidate = prepare_candidate(route.candidate, coming, FirstVersions(), Copies())
    found.candidate.weight = weight
    return found


def laned(weight: float = 0.5, weight_beside: float = 0.2, **fields: Any) -> PreparedRoute:
    """Two releases in a lane each, on the same units; `fields` are of the first."""
    found = prepared_canary(weight, lane=Lane("lanes", 0), **fields)
    [after] = routed(target(3, "other")).values()
    after = replace(after, release=replace(after.release, name="small@3"), came_by=(OTHER,))
    beside = Candidate(OTHER, "other salt", after, lane=Lane("lanes", 1))
    targets = {it.name: prepared(it) for it in after.reachable}
    coming = prepare_route(after, targets, RetryBudget(after.retry), None, "canary")
    found.beside = prepare_candidate(beside, coming, FirstVersions(), Copies())
    found.beside.weight = weight_beside
    return found


def chat(*turns: str, **members: Any) -> Ask:
    """Turns of the user and the assistant, in turn, from the user's first on."""
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(turns)]
    raw = {"messages": Raw(msgspec.json.encode(messages)), **members}
    return Ask("chat", msgspec.json.encode(raw), raw, "small")


def key_of(**fields: Any) -> KeyRecord:
    return replace(make_key(**fields)[1], id="key")


def receipt(**fields: Any) -> Receipt:
    return Receipt("01", 1.0, "g", "chat", **fields)
