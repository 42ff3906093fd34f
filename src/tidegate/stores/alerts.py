"""Alerts of budgets: each threshold once a period, however often and by whomever it is noticed.

A threshold of a budget that was raised is another one, and takes the place of the one before.
"""

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, select, update

from tidegate.stores import database
from tidegate.stores.schema_budgets import alerts

Measure = Literal["actual", "forecast"]

# What was allowed, in nano-dollars, when (budget, scope, measure, percent) was noted.
Noted = Mapping[tuple[str, str, Measure, int], int]

MAX_TRIES = 60
_KEY = frozenset(column.name for column in alerts.primary_key.columns)


class Alert(Struct, frozen=True):
    """A budget's value of a scope reached `percent` of what is allowed in the period that began
    at `period_start_s`: what was spent did (`actual`), or what will be at its end (`forecast`)."""

    budget: str
    scope: str
    period_start_s: int
    measure: Measure
    percent: int
    at_s: float
    used_nanousd: int
    forecast_nanousd: int | None
    allowed_nanousd: int
    tries: int = 0
    tried_at_s: float | None = None
    delivered_at_s: float | None = None


def add(connection: Connection, alert: Alert) -> bool:
    """Note the alert; False when somebody has noted it before, and no less was allowed then."""
    values = msgspec.structs.asdict(alert)
    statement = database.upsert(connection, alerts).values(values)
    asked = statement.on_conflict_do_update(
        index_elements=list(alerts.primary_key.columns),
        set_={name: value for name, value in values.items() if name not in _KEY},
        where=alerts.c.allowed_nanousd < alert.allowed_nanousd,
    ).execution_options(preserve_rowcount=True)
    return connection.execute(asked).rowcount == 1


def noted(connection: Connection, budgets: Collection[str], period_start_s: int) -> Noted:
    """What was noted of these budgets, a thousand at most, in the period that began then."""
    c = alerts.c
    query = select(c.budget, c.scope, c.measure, c.percent, c.allowed_nanousd).where(
        c.budget.in_(budgets), c.period_start_s == period_start_s
    )
    return {tuple(place): allowed for *place, allowed in connection.execute(query)}


def recent(connection: Connection, budget: str | None = None, limit: int = 100) -> list[Alert]:
    """Newest first, of one budget or of all."""
    query = select(alerts).order_by(alerts.c.at_s.desc(), alerts.c.percent.desc()).limit(limit)
    if budget is not None:
        query = query.where(alerts.c.budget == budget)
    return [Alert(*row) for row in connection.execute(query)]


def claim(connection: Connection, now_s: float, *, since_s: float, limit: int) -> list[Alert]:
    """Undelivered alerts to deliver now, marked as tried: nobody else is given them with this
    try. Those older than `since_s`, tried too often or tried within the last minute are left."""
    waiting = (
        alerts.c.delivered_at_s.is_(None),
        alerts.c.at_s >= since_s,
        alerts.c.tries < MAX_TRIES,
        alerts.c.tried_at_s.is_(None) | (alerts.c.tried_at_s <= now_s - 59.0),
    )
    query = select(alerts).where(*waiting).order_by(alerts.c.at_s).limit(limit)
    found = [Alert(*row) for row in connection.execute(query)]
    claimed = []
    for alert in found:
        values = {"tries": alert.tries + 1, "tried_at_s": now_s}
        same = _is(alert) & (alerts.c.tries == alert.tries)
        if connection.execute(update(alerts).where(same).values(values)).rowcount:
            claimed.append(msgspec.structs.replace(alert, **values))
    return claimed


def delivered(connection: Connection, alert: Alert, at_s: float) -> None:
    """Mark that the webhook has taken it."""
    connection.execute(update(alerts).where(_is(alert)).values(delivered_at_s=at_s))


def trim(connection: Connection, before_s: float) -> int:
    """Drop what is older; returns how many."""
    return connection.execute(delete(alerts).where(alerts.c.at_s < before_s)).rowcount


def _is(alert: Alert) -> ColumnElement[bool]:
    return (
        (alerts.c.budget == alert.budget)
        & (alerts.c.scope == alert.scope)
        & (alerts.c.period_start_s == alert.period_start_s)
        & (alerts.c.measure == alert.measure)
        & (alerts.c.percent == alert.percent)
    )
