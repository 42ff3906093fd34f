"""Whose requests signals are made of: teams, customers, keys and error codes of a window.

Each stored span names only the most frequent, so a sum over many spans is exact of those that were
always among them, and a lower bound of others; what is named by nobody is `core.bin.OTHERS`.
"""

from typing import Final, Literal

from msgspec import Struct
from sqlalchemy import Connection, func, select

from tidegate.core.bin import MINUTE_S, OTHERS
from tidegate.core.series import SignalQuery
from tidegate.stores.schema_signals import signal_details, signals
from tidegate.stores.signal_bins import DAY_S, HOUR_S
from tidegate.stores.signal_rows import detail_of
from tidegate.stores.signal_series import DIMENSIONS, scopes_of

By = Literal["team", "customer", "key", "error"]
# Windows up to so many seconds are added up of minutes, and of hours.
_OF_MINUTES_S: Final = 2 * HOUR_S
_OF_HOURS_S: Final = 7 * DAY_S
_SCOPES_A_QUERY: Final = 5000


class Share(Struct, frozen=True):
    """One's part of a window. Nobody's cost is told of by an error code."""

    name: str
    requests: int
    failed: int
    cost_nanousd: int


class Tops(Struct, frozen=True):
    """The most frequent first, the rest last. Spans are whole: they begin at `since_s`."""

    since_s: int
    shares: list[Share]


def tops(connection: Connection, query: SignalQuery, by: By, *, most: int = 20) -> Tops:
    """Who the requests of the window are of. `query.names` and `query.apart` say nothing here."""
    span_s = _span_s(connection, query)
    since_s = int(query.since_s // span_s) * span_s
    sums: dict[str, list[int]] = {}
    scopes = sorted(scopes_of(connection, query)) if {*query.only} <= set(DIMENSIONS) else []
    c = signal_details.c
    for at in range(0, len(scopes), _SCOPES_A_QUERY):
        asked = select(c.detail).where(
            c.span_s == span_s,
            c.scope.in_(scopes[at : at + _SCOPES_A_QUERY]),
            c.start_s >= since_s,
            c.start_s < query.until_s,
        )
        for payload in connection.execute(asked).scalars():
            for name, values in detail_of(payload).by.get(by, {}).items():
                there = sums.setdefault(name, [0, 0, 0])
                for place, value in enumerate(values):
                    there[place] += value
    return Tops(since_s, _largest(sums, most))


def newest_minute_s(connection: Connection) -> int | None:
    """The wall-clock second at which the newest minute of signals began; None without any."""
    newest = select(func.max(signals.c.start_s)).where(signals.c.span_s == MINUTE_S)
    found: int | None = connection.execute(newest).scalar()
    return found


def _span_s(connection: Connection, query: SignalQuery) -> int:
    window_s = query.until_s - query.since_s
    if window_s > _OF_HOURS_S:
        return DAY_S
    if window_s > _OF_MINUTES_S:
        return HOUR_S
    c = signals.c
    oldest = connection.execute(select(func.min(c.start_s)).where(c.span_s == MINUTE_S)).scalar()
    return HOUR_S if oldest is None or query.until_s <= oldest else MINUTE_S


def _largest(sums: dict[str, list[int]], most: int) -> list[Share]:
    rest = sums.pop(OTHERS, [0, 0, 0])
    ordered = sorted(sums.items(), key=lambda it: (-it[1][0], it[0]))
    for _, values in ordered[most:]:
        rest = [a + b for a, b in zip(rest, values, strict=True)]
    shares = [Share(name, *values) for name, values in ordered[:most]]
    return [*shares, Share(OTHERS, *rest)] if rest[0] else shares
