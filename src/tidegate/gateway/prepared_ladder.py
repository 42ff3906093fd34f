"""A route's ladder made ready: each rung's own target, prompt and headers in place."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tidegate.core.arm import Arm
from tidegate.core.ladder import Rung
from tidegate.core.plan import Release, Route
from tidegate.core.prompt import RoutePrompt
from tidegate.gateway.addition import addition_of
from tidegate.gateway.prepared_route import (
    PreparedLadder,
    PreparedRoute,
    PreparedRung,
    prepare_route,
)
from tidegate.gateway.prepared_target import PreparedTarget
from tidegate.gateway.prompt_versions import PreparedPrompt

Prompts = Callable[[RoutePrompt | None], PreparedPrompt | None]
# A route of the plan, and itself ready.
Own = tuple[Route, PreparedRoute]


def prepare_ladder(
    own: Own, targets: Mapping[str, PreparedTarget], prompts: Prompts, arm: Arm | None
) -> PreparedLadder | None:
    """None where it has none. `arm` is told with each answer. ValueError where a prompt is not to
    be had."""
    rungs = [_rung(rung, own, targets, prompts, arm) for rung in own[0].ladder]
    for number, one in enumerate(rungs, start=1):
        one.number = number
    return PreparedLadder(tuple(rungs)) if rungs else None


def _rung(
    rung: Rung,
    own: Own,
    targets: Mapping[str, PreparedTarget],
    prompts: Prompts,
    arm: Arm | None,
) -> PreparedRung:
    found = PreparedRung(rung, 0, rung.when.words)
    if rung.kind != "model":
        return found
    plan_route, ready = own
    if rung.prompt is None and rung.system_prompt is None:
        found.prompt = ready.prompt
    else:
        plan_route = replace(plan_route, system_prompt=rung.system_prompt)
        found.prompt = prompts(rung.prompt)
    found.addition = addition_of(plan_route)
    if rung.target is not None:
        alone = replace(
            plan_route,
            release=Release(plan_route.release.name, targets[rung.target].target),
            fallbacks=(),
            kept_warm=(),
        )
        found.route = prepare_route(alone, targets, ready.budget, ready.contract, arm)
        found.route.cache = ready.cache
    return found
