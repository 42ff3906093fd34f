"""Requests of each route in single hours and days, for whoever compares with another time."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from tidegate.stores.schema_signals import signal_scopes, signals


def judged_at(
    connection: Connection, span_s: int, starts: Collection[int]
) -> dict[str, dict[int, int]]:
    """By route and by the second at which a span begins, how many requests of its users were
    answered or failed; what is not there had no receipt at all."""
    c, scope = signals.c, signal_scopes.c
    query = (
        select(scope.route, c.start_s, func.sum(c.availability_good + c.availability_bad))
        .join(signal_scopes, scope.id == c.scope)
        .where(c.span_s == span_s, c.start_s.in_(starts))
        .group_by(scope.route, c.start_s)
    )
    found: dict[str, dict[int, int]] = {}
    for route, start_s, count in connection.execute(query).all():
        found.setdefault(route, {})[start_s] = int(count)
    return found
