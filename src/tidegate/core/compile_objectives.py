"""A route's objectives, from what its plan declares and the preset that it names."""

from collections.abc import Mapping

from tidegate.core.assemble import Path, Say
from tidegate.core.declared_objectives import (
    DeclaredErrorBudget,
    DeclaredLatencyObjective,
    DeclaredSlo,
    DeclaredTurnObjective,
)
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.objective import (
    INDICATORS,
    ErrorBudget,
    Exemption,
    Indicator,
    Maintenance,
    Objective,
    RouteObjectives,
    preset_objectives,
)
from tidegate.core.words import quoted

Written = Mapping[Indicator, Objective]


def objectives_of(routes: Mapping[str, DeclaredRoute]) -> tuple[RouteObjectives, ...]:
    """Of every route that has any. What is wrong with them was said by `check_objectives`."""
    found = []
    for name, route in routes.items():
        if route.slo is not None:
            objectives = _objectives(route.slo, contract=route.contract is not None)
            budget = _budget(route.slo)
            found.append(RouteObjectives(name, objectives, budget, route.slo.preset))
    return tuple(found)


def check_objectives(routes: Mapping[str, DeclaredRoute], say: Say) -> None:
    """Says what contradicts itself."""
    for name, route in routes.items():
        if route.slo is not None:
            _check(route.slo, route, ("routes", name, "slo"), say)


def _check(slo: DeclaredSlo, route: DeclaredRoute, path: Path, say: Say) -> None:
    written = _written(slo)
    preset = {} if slo.preset is None else preset_objectives(slo.preset)
    if not {*written, *preset} - set(slo.without):
        say(
            path, "there is no objective here; write `preset:`, or one such as `availability: 99.9`"
        )
    for index, sli in enumerate(slo.without):
        if sli in written:
            say((*path, "without", str(index)), f"{quoted(sli)} has an objective here as well")
        elif sli not in preset:
            say((*path, "without", str(index)), f"the preset has no objective {quoted(sli)}")
    if slo.validity is not None and route.contract is None:
        say(
            (*path, "validity"),
            "nothing says what a valid answer is: write `contract:` below the route",
        )
    _check_budget(slo.error_budget, (*path, "error_budget"), say)


def _check_budget(budget: DeclaredErrorBudget, path: Path, say: Say) -> None:
    if not budget.thaw_above <= budget.restricted_below <= budget.caution_below:
        say(
            path,
            "these must rise, so that each state is left again: thaw_above, restricted_below, "
            "caution_below",
        )
    if budget.money_caution_at > budget.money_restricted_at:
        say((*path, "money_caution_at"), "it is above `money_restricted_at`")
    for index, one in enumerate(budget.maintenance):
        if one.from_s >= one.until:
            say((*path, "maintenance", str(index)), "it ends before it begins")


def _objectives(slo: DeclaredSlo, *, contract: bool) -> tuple[Objective, ...]:
    found = {} if slo.preset is None else preset_objectives(slo.preset)
    found |= _written(slo)
    gone = set(slo.without) if contract else {*slo.without, "validity"}
    return tuple(found[sli] for sli in INDICATORS if sli in found and sli not in gone)


def _written(slo: DeclaredSlo) -> dict[Indicator, Objective]:
    """What the route says itself."""
    found: dict[Indicator, Objective] = {}
    for sli in INDICATORS:
        said = getattr(slo, sli)
        if isinstance(said, DeclaredTurnObjective):
            part = float(said.target / 100)
            found[sli] = Objective(sli, part, said.within_s, said.per_output_token_s)
        elif isinstance(said, DeclaredLatencyObjective):
            found[sli] = Objective(sli, float(said.target / 100), said.within_s)
        elif said is not None:
            found[sli] = Objective(sli, float(said / 100))
    return found


def _budget(slo: DeclaredSlo) -> ErrorBudget:
    said = slo.error_budget
    return ErrorBudget(
        period_s=slo.period_s,
        caution=said.caution_below / 100,
        restricted=said.restricted_below / 100,
        thaw=said.thaw_above / 100,
        review=said.review_above / 100,
        owner=said.owner,
        approvers=said.approvers,
        caution_percent=said.money_caution_at,
        restricted_percent=said.money_restricted_at,
        exemptions=tuple(
            Exemption(one.until, one.at_most, one.why, one.by) for one in said.exemptions
        ),
        maintenance=tuple(Maintenance(one.from_s, one.until, one.why) for one in said.maintenance),
    )
