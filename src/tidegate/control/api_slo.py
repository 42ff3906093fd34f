"""Objectives over the control API: how they stand, what is behind a burn, rules to export."""

from sqlalchemy import Engine

from tidegate.control.api_keys import author
from tidegate.control.errors import ApiError
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_slo import (
    ExplainedObjective,
    ExplainQuery,
    Exported,
    ExportQuery,
    NewReview,
    ObjectiveView,
    ReviewView,
    RouteSlo,
    SloExplained,
    SloList,
    SloQuery,
    TierView,
)
from tidegate.control.slo_causes import explained
from tidegate.control.slo_desk import Standing
from tidegate.control.slo_export import alertmanager_routes, prometheus_rules
from tidegate.controllers.error_budget import Judged
from tidegate.core import clock
from tidegate.core.compile_objectives import objectives_of
from tidegate.core.receipt import Receipt
from tidegate.core.signal import Signal
from tidegate.core.words import nearest, quoted
from tidegate.stats import burn
from tidegate.stats.burn import WEEK_S, Burning, Severity
from tidegate.stores import audit, database, incident_reviews, readings, receipts, time_line
from tidegate.stores.incident_reviews import IncidentReview
from tidegate.stores.receipts import Filter
from tidegate.stores.time_line import Happened

_LOOKED_AT_S = 3600.0
_MOST_RECEIPTS = 20_000


async def _list(call: Call) -> SloList:
    query: SloQuery = call.query
    found = await _standing(call)
    if query.route is not None:
        found = [_one(found, query.route)]
    return SloList([_view(one) for one in found])


async def _explain(call: Call) -> SloExplained:
    query: ExplainQuery = call.query
    standing = _one(await _standing(call), query.route)
    now_s = standing.view.now_s
    since_s = now_s - _LOOKED_AT_S
    which = Filter(since_s=since_s, route=query.route, of_callers=True)
    found = await call.desk.store(receipts.recent, which, limit=_MOST_RECEIPTS)
    asked = [
        one
        for one in standing.found.objectives
        if query.objective in (None, one.seen.objective.sli)
    ]
    burned_since_s = _burned_since_s(asked, now_s)
    engines, happened = await _beside(call, query.route, (burned_since_s, now_s))
    chosen = [_explained(one, standing, found, engines) for one in asked]
    oldest_s = min((one.started_at_s for one in found), default=since_s)
    return SloExplained(query.route, oldest_s, chosen, engines, burned_since_s, happened)


async def _beside(
    call: Call, name: str, between_s: tuple[float, float]
) -> tuple[list[Signal], list[Happened]]:
    """What the engines of the route's targets say now, and what moved its requests."""
    route = call.desk.plans.current.routes.get(name)
    targets = [] if route is None else [target.name for target in route.targets]
    reached = () if route is None else [target.name for target in route.reachable]

    def read(engine: Engine) -> tuple[list[Signal], list[Happened]]:
        with database.reading(engine) as connection:
            engines = readings.latest(connection, between_s[1], targets)
            happened = time_line.of_route(connection, name, reached, between_s)
        return [one.signal for one in engines], happened

    return await call.desk.store(read)


def _burned_since_s(asked: list[Judged], now_s: float) -> float:
    """When the window begins in which the budgets burned: the longest of an alert that stands, from
    an hour before its incident on; the last hour where nothing burns."""
    since_s = now_s - _LOOKED_AT_S
    for one in asked:
        lit = (*one.lit("page"), *one.lit("ticket"))
        since_s = min([since_s, *(now_s - it.tier.long_s for it in lit)])
        if one.known.incident is not None:
            since_s = min(since_s, one.known.incident.began_s - _LOOKED_AT_S)
    return max(since_s, now_s - WEEK_S)


async def _review(call: Call) -> ReviewView:
    asked: NewReview = call.body
    _one(await _standing(call), asked.route)
    by = author(call)
    kept = IncidentReview(asked.route, by.at_s, by.actor, asked.postmortem, asked.follow_up)

    def keep(engine: Engine) -> None:
        with database.writing(engine) as connection:
            incident_reviews.add(connection, kept)
            audit.append(connection, by, "slo.review", asked.route, asked.postmortem)

    await call.desk.store(keep)
    return ReviewView(kept.route, kept.at_s, kept.author, kept.postmortem, kept.follow_up)


async def _export(call: Call) -> Exported:
    query: ExportQuery = call.query
    declared = objectives_of(call.desk.plans.declared.routes)
    make = prometheus_rules if query.what == "prometheus" else alertmanager_routes
    return Exported(make(declared))


ROWS = (
    Row("GET", "/api/slo", "viewer", _list, query=SloQuery),
    Row("GET", "/api/slo/explain", "viewer", _explain, query=ExplainQuery),
    Row("GET", "/api/slo/export", "viewer", _export, query=ExportQuery),
    Row("POST", "/api/slo/reviews", "operator", _review, body=NewReview, status=201),
)


async def _standing(call: Call) -> list[Standing]:
    declared, plan = call.desk.plans.declared, call.desk.plans.current

    def read(engine: Engine) -> list[Standing]:
        with database.reading(engine) as connection:
            return call.desk.slo.standing(connection, declared, plan, clock.wall_s())

    return await call.desk.store(read)


def _one(found: list[Standing], route: str) -> Standing:
    """The route's. ApiError where it has no objectives."""
    for one in found:
        if one.declared.route == route:
            return one
    near = nearest(route, [one.declared.route for one in found])
    raise ApiError(
        "not_found", f"No route {quoted(route)} has objectives{near}; write `slo:` below it."
    )


def _view(one: Standing) -> RouteSlo:
    memory = one.found.memory
    review = memory.review
    wanted = None
    if review is not None:
        wanted = f"an incident of {review.sli} cost {review.cost:.0%} of its error budget"
    return RouteSlo(
        route=one.declared.route,
        preset=one.declared.preset,
        period_s=one.declared.budget.period_s,
        owner=one.declared.budget.owner,
        state=one.found.state,
        why=one.found.why,
        absent=memory.absent,
        review_wanted=wanted,
        objectives=[_objective(judged, one) for judged in one.found.objectives],
    )


def _objective(judged: Judged, one: Standing) -> ObjectiveView:
    objective, period_s = judged.seen.objective, one.declared.budget.period_s
    counted = judged.seen.counted(period_s)
    told: Severity | None = "page" if judged.lit("page") else None
    if told is None and judged.lit("ticket"):
        told = "ticket"
    return ObjectiveView(
        sli=objective.sli,
        target_percent=round(100 * objective.target, 6),
        within_s=objective.within_s,
        per_output_token_s=objective.per_output_token_s,
        judged=counted.judged,
        bad=counted.bad,
        left=judged.left,
        state=judged.state,
        told=told,
        tiers=[_tier(it, period_s, objective.target) for it in judged.tiers],
    )


def _tier(one: Burning, period_s: float, target: float) -> TierView:
    return TierView(
        name=one.tier.name,
        severity=one.tier.severity,
        long_s=one.tier.long_s,
        short_s=one.tier.short_s,
        factor=one.factor,
        lowered=burn.is_lowered(one.tier, period_s, target),
        long_burn=one.long,
        short_burn=one.short,
        fires=one.fires,
        detect_s=burn.detect_s(one.tier, period_s, target, 1.0),
    )


def _explained(
    judged: Judged, standing: Standing, found: list[Receipt], engines: list[Signal]
) -> ExplainedObjective:
    by_target: dict[str, list[Signal]] = {}
    for signal in engines:
        by_target.setdefault(signal.scope.rpartition("/")[0], []).append(signal)
    objective = judged.seen.objective
    result = explained(found, objective, standing.declared.patience, by_target)
    return ExplainedObjective(
        sli=objective.sli,
        burn=judged.tiers[0].long,
        fires=bool(judged.lit("page") or judged.lit("ticket")),
        judged=result.judged,
        bad=result.bad,
        causes=list(result.causes),
        excesses=list(result.excesses),
    )
