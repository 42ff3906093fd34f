"""What the error-budget controller sees of each route that has objectives."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from sqlalchemy import Connection

from tidegate.control.budget_figures import budgets_of, now_of
from tidegate.control.sli_windows import SliWindows, Source
from tidegate.control.week_ago import WeekAgo
from tidegate.controllers.error_budget import MoneySeen, ObjectiveSeen, View
from tidegate.core.block import Tally
from tidegate.core.compile_objectives import objectives_of
from tidegate.core.declared import Declared
from tidegate.core.limit import allowed_at, raised_at, scope_text
from tidegate.core.objective import Indicator, RouteObjectives
from tidegate.core.plan import Limit, Plan
from tidegate.stores import alerts, incident_reviews, signals

_ROUTE: Final = "route"


class ObjectiveViews:
    """Keeps up with the store. Not safe between threads."""

    def __init__(self) -> None:
        self._windows = SliWindows()
        self._week_ago = WeekAgo()
        self._declared: Declared | None = None
        self._objectives: tuple[RouteObjectives, ...] = ()

    @property
    def totals(self) -> Mapping[tuple[str, Indicator], Tally]:
        """Requests of each objective since it was first asked for."""
        return self._windows.totals

    def of_every_route(
        self, connection: Connection, declared: Declared, plan: Plan, now_s: float
    ) -> dict[str, View]:
        """By route. Reads what has changed since it was asked last. StoreError."""
        if declared is not self._declared:
            self._declared, self._objectives = declared, objectives_of(declared.routes)
        self._windows.keep_up(source(connection), self._objectives, now_s)
        if not self._objectives:
            return {}
        week_ago = self._week_ago.per_s(connection, now_s)
        money = money_seen(connection, plan, [one.route for one in self._objectives], now_s)
        reviewed = incident_reviews.newest(connection)
        return {
            one.route: self._view(
                one, money.get(one.route, ()), reviewed, now_s, week_ago.get(one.route)
            )
            for one in self._objectives
        }

    def _view(
        self,
        one: RouteObjectives,
        money: tuple[MoneySeen, ...],
        reviewed: Mapping[str, float],
        now_s: float,
        week_ago_per_s: float | None,
    ) -> View:
        return View(
            route=one.route,
            now_s=now_s,
            known_s=min(self._windows.known_s(one.route, now_s), one.budget.period_s),
            budget=one.budget,
            objectives=tuple(
                ObjectiveSeen(it.objective, it.counts, it.canary, it.known_s)
                for it in self._windows.of(one.route, now_s)
            ),
            money=money,
            reviewed_at_s=reviewed.get(one.route),
            week_ago_per_s=week_ago_per_s,
        )


def source(connection: Connection) -> Source:
    """The stored signals."""
    return Source(
        lambda since, from_s: signals.minutes_after(connection, since, from_s=from_s),
        partial(signals.spans, connection),
    )


def money_seen(
    connection: Connection, plan: Plan, routes: Iterable[str], now_s: float
) -> dict[str, tuple[MoneySeen, ...]]:
    """What money budgets that pay for everything of a route have reached in their period. One that
    is of a team or a customer binds nobody else's releases."""
    found: dict[str, list[MoneySeen]] = {}
    asked = list(routes)
    for limit in budgets_of(plan):
        if not _is_of_routes(limit):
            continue
        period_start_s = now_of(limit, now_s)[0]
        noted = alerts.noted(connection, {limit.name}, period_start_s)
        raised, allowed = raised_at(limit, now_s), allowed_at(limit, now_s)
        for (_, scope, measure, percent), allowed_then in noted.items():
            seen = MoneySeen(limit.name, scope, percent, measure == "forecast")
            for route in asked:
                is_raised = raised.get(route, allowed) > allowed_then
                if _pays_for(limit, scope, route) and not is_raised:
                    found.setdefault(route, []).append(seen)
    return {route: tuple(sorted(seen, key=_order)) for route, seen in found.items()}


def _order(seen: MoneySeen) -> tuple[str, int, bool]:
    return seen.budget, seen.percent, seen.forecast


def _is_of_routes(limit: Limit) -> bool:
    return {*limit.scope, *(name for name, _ in limit.only)} <= {_ROUTE}


def _pays_for(limit: Limit, scope: str, route: str) -> bool:
    if limit.scope:
        return scope == scope_text(limit, route)
    return dict(limit.only).get(_ROUTE, route) == route
