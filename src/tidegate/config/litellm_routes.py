"""LiteLLM's model groups as routes: their weights, what is asked when they have failed, how often,
and what holds for all of them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct, field

from tidegate.config.litellm_models import Deployment, Group, Models
from tidegate.config.moving import Findings
from tidegate.config.their_values import ANY_FAILURE, ROUTE_NAME, route_name
from tidegate.config.written_plan import Draft
from tidegate.core.resilience import MAX_FALLBACKS

# The plan's defaults, which none of a target's may pass the whole of.
_PARTS_S: Final = {"first_token_s": 60.0, "gap_s": 30.0, "connect_s": 2.0}
_LONGEST_PAUSE_S: Final = 8.0


class Shared(Struct):
    """What the file says of every route at once. `fallbacks` are groups by failure and group; `*`
    is every group."""

    balance: str | None = None
    attempts: int | None = None
    retry_after_s: float | None = None
    failures: int | None = None
    open_s: float | None = None
    total_s: float | None = None
    first_token_s: float | None = None
    drops: bool = False
    cache: dict[str, Any] | None = None
    fallbacks: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def routes_of(models: Models, shared: Shared, draft: Draft, found: Findings) -> None:
    """A route for each group and alias, with the targets that it may ask."""
    for name, group in models.groups.items():
        draft.routes[name] = _route(name, group, models.groups, shared, found)
    for alias, name in shared.aliases.items():
        fits = route_name(alias) is not None
        if name in models.groups and alias not in draft.routes and fits:
            draft.routes[alias] = _route(name, models.groups[name], models.groups, shared, found)
        else:
            said = "it names no model group" if fits else ROUTE_NAME
            found.left(f"router_settings.model_group_alias.{alias[:60]}", said)
    _strangers(models.groups, shared, found)
    for target in draft.targets.values():
        _held(target, shared)


def _strangers(groups: Mapping[str, Group], shared: Shared, found: Findings) -> None:
    """Fallbacks of what is no route here, as of a model that was called by a wildcard."""
    named = {name: None for of in shared.fallbacks.values() for name in of}
    for name in named:
        if name != "*" and name not in groups:
            said = (
                "it names no model group: its fallbacks belong to the route that you write for it"
            )
            found.left(f"fallbacks of {name[:60]}", said)


def _route(
    name: str, group: Group, groups: Mapping[str, Group], shared: Shared, found: Findings
) -> dict[str, Any]:
    first, later = _in_order(group)
    weights = _weights(first)
    if shared.balance in (None, "weighted"):
        first, later = _with_a_share(first, later, weights, found)
    route: dict[str, Any] = {}
    if len(first) == 1:
        route["target"] = first[0].target
    else:
        route["targets"] = {one.target: weights[one.target] or 1 for one in first}
        if shared.balance:
            route["balance"] = shared.balance
    fallbacks = _fallbacks(name, [it.target for it in later], groups, shared, found)
    if fallbacks:
        route["fallbacks"] = fallbacks
    retry: dict[str, Any] = {}
    attempts = group.attempts or shared.attempts
    if attempts:
        retry["attempts"] = attempts
    if shared.retry_after_s:
        retry["base_s"] = shared.retry_after_s
        if shared.retry_after_s > _LONGEST_PAUSE_S:
            retry["cap_s"] = shared.retry_after_s
    if retry:
        route["retry"] = retry
    if group.drops or shared.drops:
        route["unsupported"] = "drop"
    same = [it for it in group.parameters if it == group.parameters[0]]
    if len(same) == len(group.parameters):
        if group.parameters[0]:
            route["parameters"] = group.parameters[0]
    else:
        said = "a route adds the same to each request: give such a deployment a route of its own"
        found.left(f"parameters that deployments of {name[:60]} do not share", said)
    if shared.cache is not None:
        route["cache"] = shared.cache
    return route


def _in_order(group: Group) -> tuple[list[Deployment], list[Deployment]]:
    """Those that are asked first, and those that are asked when they have failed."""
    lowest = min(one.order for one in group.deployments)
    first = [one for one in group.deployments if one.order == lowest]
    later = sorted(
        (one for one in group.deployments if one.order > lowest), key=lambda it: it.order
    )
    return first, later


def _weights(deployments: list[Deployment]) -> dict[str, float]:
    """As simple-shuffle weighs them: by `weight`, else by `rpm`, else by `tpm`."""
    for name in ("weight", "rpm", "tpm"):
        values = [getattr(one, name) for one in deployments]
        if any(values):
            return {one.target: value or 0 for one, value in zip(deployments, values, strict=True)}
    return {one.target: 1 for one in deployments}


def _with_a_share(
    first: list[Deployment], later: list[Deployment], weights: Mapping[str, float], found: Findings
) -> tuple[list[Deployment], list[Deployment]]:
    """Beside others with a weight, one without is asked there only while none of them is well."""
    idle = [one for one in first if not weights[one.target]]
    if idle:
        where = "model_list[].litellm_params.weight, rpm or tpm of none, beside others"
        found.changed(where, "routes.NAME.fallbacks", "it is asked when the others have failed")
    return [one for one in first if weights[one.target]], [*idle, *later]


def _fallbacks(
    name: str,
    later: Iterable[str],
    groups: Mapping[str, Group],
    shared: Shared,
    found: Findings,
) -> dict[str, list[str]]:
    own = {one.target for one in groups[name].deployments}
    fallbacks = {}
    for failure in (*ANY_FAILURE, "overflow", "refused_by_safety"):
        of = shared.fallbacks.get(failure, {})
        asked = list(later) if failure in ANY_FAILURE else []
        for asked_for in of.get(name, of.get("*", [])):
            other = asked_for if asked_for in groups else shared.aliases.get(asked_for, asked_for)
            if other not in groups:
                found.left(f"fallbacks: {other[:60]}", "it names no model group")
                continue
            if other != name:
                asked += [one.target for one in _in_order(groups[other])[0]]
        wanted = [it for it in dict.fromkeys(asked) if it in later or it not in own]
        if len(wanted) > MAX_FALLBACKS:
            said = f"a route has {MAX_FALLBACKS} fallbacks of a class at most"
            found.changed(f"fallbacks of {name[:60]}", f"the first {MAX_FALLBACKS}", said)
        if wanted:
            fallbacks[failure] = wanted[:MAX_FALLBACKS]
    return fallbacks


def _held(target: dict[str, Any], shared: Shared) -> None:
    """What holds for every target that does not say otherwise."""
    for section, name, value in (
        ("deadlines", "total_s", shared.total_s),
        ("deadlines", "first_token_s", shared.first_token_s),
        ("breaker", "failures", shared.failures),
        ("breaker", "open_s", shared.open_s),
    ):
        if value is not None:
            target.setdefault(section, {}).setdefault(name, value)
    deadlines = target.get("deadlines", {})
    total_s = deadlines.get("total_s")
    for name, usual_s in _PARTS_S.items():
        if total_s is not None and total_s < deadlines.get(name, usual_s):
            deadlines[name] = total_s
