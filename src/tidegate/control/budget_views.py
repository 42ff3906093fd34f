"""Budgets as operators and leads see them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from tidegate.control.budget_figures import Standing
from tidegate.control.shapes_budgets import (
    AlertView,
    BudgetView,
    RaiseView,
    ScopeUse,
    Spender,
    State,
)
from tidegate.core.limit import ATTRIBUTE, SEPARATOR, scope_text
from tidegate.core.units import format_duration, format_usd
from tidegate.stores import budget_use
from tidegate.stores.alerts import Alert
from tidegate.stores.budget_use import Span, Used
from tidegate.stores.budgets import StoredRaise

_SPENDERS = 5
_ASKED_FOR = ("team", "key", "customer", "route", "model")


def view(
    standing: Standing, author: str | None, newest_alert: Alert | None, *, most: int
) -> BudgetView:
    """One budget with the `most` values of its scope that spent most."""
    limit = standing.limit
    return BudgetView(
        name=limit.name,
        author=author,
        scope=limit.scope,
        only=dict(limit.only),
        per=limit.unit or format_duration(limit.per_s or 0.0),
        time_zone=limit.time_zone,
        hard=limit.on_excess == "refuse",
        alerts=limit.alert_percents,
        amount_usd=format_usd(limit.amount),
        allowed_usd=format_usd(standing.allowed_nanousd),
        state=state(standing),
        since_s=standing.since_s,
        resets_at_s=standing.until_s,
        highest=[_use(standing, one) for one in standing.used[:most]],
        newest_alert=None if newest_alert is None else alert_view(newest_alert),
        degrade=limit.degrades,
    )


def state(standing: Standing) -> State:
    """Of the value that spent the greatest part of what it may."""
    uses = [(one.nanousd, standing.allowed_of(one)) for one in standing.used]
    if any(reaches(nanousd, 100, allowed) for nanousd, allowed in uses):
        return "spent"
    alerts = standing.limit.alert_percents
    alerting = alerts and any(reaches(nanousd, alerts[0], allowed) for nanousd, allowed in uses)
    return "alerting" if alerting else "open"


def reaches(nanousd: int, percent: int, allowed_nanousd: int) -> bool:
    """Whether it is so much of what is allowed."""
    return nanousd * 100 >= allowed_nanousd * percent


def alert_view(alert: Alert) -> AlertView:
    forecast = alert.forecast_nanousd
    return AlertView(
        budget=alert.budget,
        scope=alert.scope,
        measure=alert.measure,
        percent=alert.percent,
        at_s=alert.at_s,
        used_usd=format_usd(alert.used_nanousd),
        forecast_usd=None if forecast is None else format_usd(forecast),
        allowed_usd=format_usd(alert.allowed_nanousd),
        delivered_at_s=alert.delivered_at_s,
    )


def raise_view(one: StoredRaise, now_s: float) -> RaiseView:
    values = (f"{name.removeprefix(ATTRIBUTE)} {value}" for name, value in one.scope.items())
    return RaiseView(
        id=one.id,
        scope=", ".join(values) or None,
        extra_usd=format_usd(one.extra_nanousd),
        until_s=one.until_s,
        approver=one.approver,
        reason=one.reason,
        author=one.author,
        at_s=one.at_s,
        state="ended"
        if one.ended_at_s is not None
        else "in force"
        if now_s < one.until_s
        else "over",
    )


def scope_of(standing: Standing, used: Used) -> str:
    """The value of a scope for people: `team growth, route chat`."""
    return scope_text(standing.limit, SEPARATOR.join(used.values))


def counts(standing: Standing) -> str:
    """What counts, in a sentence."""
    limit = standing.limit
    only = ", ".join(f"{name} {value}" for name, value in limit.only)
    which = f"requests with {only}" if only else "every request"
    apart = [name for name in limit.scope if name not in dict(limit.only)]
    each = f", for each {' and '.join(apart)} apart" if apart else ""
    when = f"in the last {format_duration(limit.per_s or 0.0)}"
    if limit.unit is not None:
        when = f"in the {limit.unit} of {limit.time_zone}"
    if limit.unit == "lifetime":
        when = "ever"
    return (
        f"The cost of {which}{each}, {when}; a cost that nobody knows counts as the "
        "most that it can have been. The ledger sums by quarter-hours and is behind gateways by "
        "about a second."
    )


def spenders(connection: Connection, standing: Standing, team: str | None) -> Sequence[Spender]:
    """Who spent most of it, by dimensions that it does not tell apart itself."""
    fixed: Mapping[str, str] = dict(standing.limit.only) | ({"team": team} if team else {})
    only = tuple(fixed.items())
    found = []
    for name in _ASKED_FOR:
        if name in fixed or not budget_use.is_rolled_up((name, *fixed)):
            continue
        span = Span(standing.since_s, standing.now_s)
        for one in budget_use.used(connection, (name,), only, span, most=_SPENDERS):
            if one.nanousd:
                found.append(Spender(name, one.values[0], format_usd(one.nanousd)))
    return found


def _use(standing: Standing, used: Used) -> ScopeUse:
    forecast = standing.forecast(used.nanousd)
    allowed = standing.allowed_of(used)
    return ScopeUse(
        scope=scope_of(standing, used),
        allowed_usd=format_usd(allowed),
        used_usd=format_usd(used.nanousd),
        left_usd=format_usd(max(allowed - used.nanousd, 0)),
        share=round(used.nanousd / allowed, 6),
        forecast_usd=None if forecast is None else format_usd(forecast),
    )
