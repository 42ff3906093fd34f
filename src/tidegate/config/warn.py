"""What may be served and yet deserves a word: unknown costs, limits that never speak, or that each
machine would count for itself, revisions that the file has superseded."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tidegate.config.problem import Path
from tidegate.core.compile_ladder import budget_rungs
from tidegate.core.contradictions import silenced
from tidegate.core.database_ref import DATABASE_VARIABLE
from tidegate.core.declared import Declared
from tidegate.core.declared_targets import adapters_of
from tidegate.core.facts import Facts
from tidegate.core.limit import SPEND, reaches
from tidegate.core.model_name import family
from tidegate.core.plan import Limit, Plan, Route
from tidegate.core.retirement import TOLD_DAYS, day_of, retirement_text, retiring
from tidegate.core.revised import revised
from tidegate.core.words import quoted


class Warned(NamedTuple):
    """One warning about the value at `path`."""

    path: Path
    message: str


def about_costs(plan: Plan, declared: Declared) -> Iterator[Warned]:
    """Targets that will serve at a cost nobody knows, or not at all where a budget is hard."""
    unpriced: dict[str, list[Route]] = defaultdict(list)
    adapters = adapters_of(declared.targets)
    for route in plan.routes.values():
        for target in route.reachable:
            if target.price is None:
                unpriced[target.name].append(route)
    for name, routes in unpriced.items():
        path: Path = ("routes", routes[0].name)
        if name in declared.targets:
            path = ("targets", name)
        elif name in adapters:
            path = ("targets", adapters[name][0])
        message = f"{_unknown_cost(plan, routes)}; write `price: free` or what it costs"
        yield Warned(path, message)


def about_limits(plan: Plan) -> Iterator[Warned]:
    """Limits that can never speak because a wider one always does before them."""
    for limit, message in silenced(plan.limits):
        yield Warned((_section(limit), limit.name), message)


def about_ladders(plan: Plan, facts: Facts) -> Iterator[Warned]:
    """Rungs for budgets that no budget looks for now. Some may be set while it runs."""
    for name, route in plan.routes.items():
        rungs = budget_rungs(route)
        degrading = any(limit.degrades and reaches(limit, route) for limit in plan.limits)
        if rungs and not degrading and not facts.keys_limited():
            message = "no budget that holds requests of this route says `degrade: true`"
            when = route.ladder[rungs[0]].when
            key = "forecast" if when.budget_percent is None else "budget"
            yield Warned(("routes", name, "ladder", str(rungs[0]), "when", key), message)


def about_machines(
    plan: Plan, declared: Declared, environ: Mapping[str, str], facts: Facts
) -> Iterator[Warned]:
    """Counters that each of several machines would keep for itself."""
    database = declared.storage.database is not None
    if plan.counters is not None or not (database or environ.get(DATABASE_VARIABLE)):
        return
    counted = [it for it in plan.limits if facts.kinds.get(it.kind).shape(it) is not None]
    if not counted and not facts.keys_limited():
        return
    path: Path = ("storage", "database")
    if counted and not database:
        path = _section(counted[0]), counted[0].name
    yield Warned(
        path,
        "limits and budgets are counted on each machine for itself: of several that share this "
        "database each allows the whole of them; name the Redis that counts for all in "
        "`storage.limits`",
    )


def about_quality(plan: Plan, declared: Declared) -> Iterator[Warned]:
    """Answers that are to be graded and are not kept, or are twice, and judges of their own kin."""
    for name, route in declared.routes.items():
        quality = route.quality
        if quality is None:
            continue
        if route.capture is None:
            what = "nothing of this route is captured, so that nothing is graded; write `capture`"
            yield Warned(("routes", name, "quality"), what)
        if quality.hits is not None and route.cache is None:
            what = "this route keeps no answers, so that none are judged; write `cache`"
            yield Warned(("routes", name, "quality", "hits"), what)
        asked = None if quality.judge is None else declared.routes[quality.judge].capture
        if asked is not None and "eval" in asked.also:
            what = (
                "what the judge is asked is captured again by its own route (`also: [eval]`), "
                "where it is nobody's: deleting a customer does not find it"
            )
            yield Warned(("routes", name, "quality", "judge"), what)
        if quality.checks is not None and quality.judge is not None:
            judges = {family(it.model) for it in plan.routes[quality.judge].reachable}
            judged = {family(it.model) for it in plan.routes[name].reachable}
            kin = sorted(it for it in judges & judged if it is not None)
            if kin:
                what = (
                    f"the judge is of the family that it judges ({', '.join(kin)}), and "
                    "judges are known to prefer their own"
                )
                yield Warned(("routes", name, "quality", "judge"), what)


def about_revisions(declared: Declared, facts: Facts) -> Iterator[Warned]:
    """What was moved at run time and is not any more, because the file has been edited since."""
    if not facts.added.revisions:
        return
    added = facts.added
    found = revised(declared, added.revisions, added.rollouts, lambda _path, _message: None)
    for one in found.superseded:
        what = one.revision.rollout or one.revision.id
        made = f"{one.revision.kind} {quoted(what)} by {one.revision.author}"
        yield Warned(one.path, f"what was moved at run time ({made}) no longer holds: {one.why}")


def _section(limit: Limit) -> str:
    return "budgets" if limit.kind == SPEND else "limits"


def _unknown_cost(plan: Plan, routes: list[Route]) -> str:
    for limit in plan.limits:
        hard = limit.kind == SPEND and limit.on_excess == "refuse"
        if hard and any(reaches(limit, route) for route in routes):
            return f"its cost is unknown: the budget {quoted(limit.name)} refuses it"
    return "its cost will be unknown"


def about_encoders(plan: Plan, facts: Facts) -> Iterator[Warned]:
    """Semantic tiers that would stay off, as nothing here encodes their questions, and those whose
    threshold nobody has learnt."""
    for name, route in plan.routes.items():
        semantic = None if route.cache is None else route.cache.semantic
        if semantic is None:
            continue
        path = ("routes", name, "cache", "semantic")
        for key, encoder in (("encoder", semantic.encoder), ("prefilter", semantic.prefilter)):
            why = None if encoder is None else facts.encodes(encoder)
            if why is not None:
                yield Warned((*path, key), f"gateways like this one leave that tier off: {why}")
        if semantic.threshold is not None and semantic.learnt_with is None:
            said = "it is written by hand, and no pairs bear it out: tidegate cache calibrate"
            yield Warned((*path, "threshold"), said)


def about_models(plan: Plan, declared: Declared, now_s: float) -> Iterator[Warned]:
    """Targets whose model will soon be served no more, or is not by now, with their routes."""
    today = day_of(now_s)
    for target, routes in retiring(plan, today, TOLD_DAYS[0]):
        named = target.name in declared.targets
        path = ("targets", target.name) if named else ("routes", routes[0])
        of = f"the route{'s' if len(routes) > 1 else ''} {', '.join(map(quoted, routes))}"
        yield Warned(path, f"{retirement_text(target, today)}: {of}")
