"""What the error-budget controller is shown of routes: stored signals, money, reviews."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores.signal_rig import NOON_S, add, key, one

from tidegate.control.budget_figures import now_of
from tidegate.control.objective_views import ObjectiveViews, money_seen
from tidegate.controllers.error_budget import MoneySeen, View
from tidegate.core.block import Tally
from tidegate.core.declared import Declared
from tidegate.core.declared_objectives import DeclaredSlo
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.plan import Limit, Plan, Raise
from tidegate.stores import alerts, database, incident_reviews
from tidegate.stores.alerts import Alert, Measure
from tidegate.stores.incident_reviews import IncidentReview

DECLARED = Declared(routes={"chat": DeclaredRoute("small", slo=DeclaredSlo("chat"))})
NOW_S = NOON_S + 30.0
BUDGET = Limit("money", "spend", 1000, unit="lifetime", alert_percents=(80,))


def plan(*limits: Limit) -> Plan:
    return Plan(1, "", 0.0, {}, limits=limits)


def seen(views: ObjectiveViews, engine: Engine, *limits: Limit, at_s: float = NOW_S) -> View:
    with database.reading(engine) as connection:
        [found] = views.of_every_route(connection, DECLARED, plan(*limits), at_s).values()
    return found


def availability(view: View, window_s: int) -> Tally:
    return next(it.counts[window_s] for it in view.objectives if it.objective.sli == "availability")


def test_a_view_keeps_up_with_what_is_stored(engine: Engine) -> None:
    views = ObjectiveViews()
    first = seen(views, engine)
    assert (first.route, availability(first, 300), first.known_s) == ("chat", Tally(), 0.0)
    add(engine, {key(): one(availability_good=9, availability_bad=1)})
    assert availability(seen(views, engine), 300) == Tally(10, 1)
    add(engine, {key(target="large"): one(availability_good=5)})
    later = seen(views, engine, at_s=NOW_S + 10)
    assert (availability(later, 3600), later.known_s) == (Tally(15, 1), 40.0)


def test_a_view_knows_of_the_same_hour_a_week_ago(engine: Engine) -> None:
    assert seen(ObjectiveViews(), engine).week_ago_per_s is None
    add(engine, {key(NOON_S - 7 * 86_400): one(availability_good=7200)})
    hour_s = NOON_S - NOON_S % 3600
    assert seen(ObjectiveViews(), engine, at_s=hour_s + 1800).week_ago_per_s == 2.0


def test_routes_without_objectives_cost_nothing(engine: Engine) -> None:
    with database.reading(engine) as connection:
        bare = Declared(routes={"chat": DeclaredRoute("small")})
        assert ObjectiveViews().of_every_route(connection, bare, plan(), NOW_S) == {}


def test_the_newest_review_is_seen(engine: Engine) -> None:
    with database.writing(engine) as connection:
        incident_reviews.add(connection, IncidentReview("chat", 7.0, "operator", "wiki", "more"))
    assert seen(ObjectiveViews(), engine).reviewed_at_s == 7.0


def alert(engine: Engine, scope: str, measure: Measure = "actual", **fields: Any) -> None:
    known: dict[str, Any] = {"period_start_s": 0, "percent": 80, "at_s": NOW_S, **fields}
    with database.writing(engine) as connection:
        amounts = {"used_nanousd": 900, "forecast_nanousd": None, "allowed_nanousd": 1000}
        alerts.add(connection, Alert("money", scope, measure=measure, **known, **amounts))


@pytest.mark.parametrize(
    ("fields", "scope", "routes"),
    [
        ({}, "everything", {"chat", "rag"}),
        ({"only": (("route", "chat"),)}, "everything", {"chat"}),
        ({"scope": ("route",)}, "route chat", {"chat"}),
        ({"scope": ("route",)}, "route other", set()),
        ({"scope": ("team",)}, "team blue", set()),
        ({"scope": ("route", "team")}, "route chat, team blue", set()),
        ({"only": (("customer", "acme"),)}, "everything", set()),
        ({"kind": "requests"}, "everything", set()),
    ],
)
def test_money_binds_the_routes_that_it_pays_for_whole(
    engine: Engine, fields: dict[str, Any], scope: str, routes: set[str]
) -> None:
    limit = replace(BUDGET, **fields)
    alert(engine, scope, period_start_s=now_of(limit, NOW_S)[0])
    with database.reading(engine) as connection:
        found = money_seen(connection, plan(limit), ["chat", "rag"], NOW_S)
    assert found == {route: (MoneySeen("money", scope, 80, False),) for route in routes}


def test_alerts_of_other_periods_and_of_less_than_is_allowed_now_bind_nobody(
    engine: Engine,
) -> None:
    monthly = replace(BUDGET, unit="month")
    alert(engine, "everything", period_start_s=12345)
    with database.reading(engine) as connection:
        assert money_seen(connection, plan(monthly), ["chat"], NOW_S) == {}
    rolling = replace(BUDGET, unit=None, per_s=3600.0)
    alert(engine, "everything", "forecast", period_start_s=int(NOW_S // 3600 * 3600))
    with database.reading(engine) as connection:
        found = money_seen(connection, plan(rolling), ["chat"], NOW_S)
        assert [it.forecast for it in found["chat"]] == [True]
        raised = replace(rolling, raises=(Raise(500, NOW_S + 9),))
        assert money_seen(connection, plan(raised), ["chat"], NOW_S) == {}
