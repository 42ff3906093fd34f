"""Quality of live answers: how many were found bad, of which arm and version, and which; and of
kept ones apart from them."""

from collections.abc import Iterable

from sqlalchemy import Connection, Engine

from tidegate.control.hits_view import hits_view
from tidegate.control.routes import Call, Row
from tidegate.control.shapes_quality import (
    AssessmentList,
    AssessmentsQuery,
    JudgedView,
    QualityList,
    QualityQuery,
    QualityView,
    ShareView,
)
from tidegate.core import clock
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.stats.stratified import Part, Share, overall, wilson
from tidegate.stores import assessments, database, judged_hits, live_answers
from tidegate.stores.assessments import Assessed, Ungraded
from tidegate.stores.live_answers import Found, Which


async def _show(call: Call) -> QualityList:
    asked: QualityQuery = call.query
    declared = call.desk.plans.declared.routes

    def read(engine: Engine) -> list[QualityView]:
        since_s = clock.wall_s() - asked.since_s
        with database.reading(engine) as connection:
            found = assessments.counted(connection, route=asked.route, since_s=since_s)
            noted = assessments.not_graded(connection)
            names = {name for name, it in declared.items() if it.quality is not None}
            names |= {it.route for it in found if it.route is not None}
            kept = judged_hits.found(connection, asked.route, since_s)
            unjudged = judged_hits.not_judged(connection)
            names |= {it.route for it in kept}
            if asked.route is not None:
                names &= {asked.route}
            judged = live_answers.found(connection, names, since_s)
            return [
                QualityView(
                    route=name,
                    is_graded=_is_graded(declared.get(name)),
                    ungraded=_ungraded(noted.get(name), declared.get(name)),
                    overall=_overall(connection, name, since_s),
                    judged=[_judged(it) for it in judged if it.route == name],
                    others=_others(found, name),
                    hits=hits_view(
                        [it for it in kept if it.route == name],
                        declared.get(name),
                        unjudged.get(name),
                    ),
                )
                for name in sorted(names)
            ]

    return QualityList(await call.desk.store(read))


async def _list(call: Call) -> AssessmentList:
    asked: AssessmentsQuery = call.query
    which = Which(asked.route, asked.kind, asked.arm, asked.bad, asked.before_id)

    def read(engine: Engine) -> AssessmentList:
        with database.reading(engine) as connection:
            return AssessmentList(live_answers.newest(connection, which, limit=asked.limit))

    return await call.desk.store(read)


ROWS = (
    Row("GET", "/api/quality", "viewer", _show, query=QualityQuery),
    Row("GET", "/api/quality/assessments", "operator", _list, query=AssessmentsQuery),
)


def _is_graded(route: DeclaredRoute | None) -> bool:
    return route is not None and route.quality is not None and route.quality.checks is not None


def _ungraded(noted: Ungraded | None, route: DeclaredRoute | None) -> Ungraded | None:
    """What was noted before the route's declaration went away says nothing now."""
    return noted if _is_graded(route) else None


def _overall(connection: Connection, route: str, since_s: float) -> ShareView | None:
    known = live_answers.found_by_cell(connection, route, since_s)
    sizes = live_answers.answered_by_cell(connection, route, since_s)
    return _view(overall(Part(size, *known.get(cell, (0, 0))) for cell, size in sizes.items()))


def _judged(found: Found) -> JudgedView:
    if not found.known:
        return JudgedView(found, None)
    return JudgedView(found, ShareView(found.bad / found.known, *wilson(found.bad, found.known)))


def _others(found: Iterable[Assessed], route: str) -> list[Assessed]:
    return [it for it in found if it.route == route and it.assessed_as != "quality"]


def _view(share: Share | None) -> ShareView | None:
    return None if share is None else ShareView(*share)
