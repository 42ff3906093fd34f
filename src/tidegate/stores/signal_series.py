"""Signals over time: as many points as a picture can show, of rows as coarse as that allows.

However much there is, a query reads a bounded number of rows a series; where many series are asked
for they share the points of one answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, func, literal_column, select

from tidegate.core.bin import MINUTE_S
from tidegate.core.series import STEPS_S, Series, SignalQuery, step_of
from tidegate.core.signal_catalogue import CATALOGUE, Known
from tidegate.stores.errors import AskedTooMuch
from tidegate.stores.schema_signals import signal_details, signal_scopes, signals
from tidegate.stores.signal_bins import HOUR_S, SPANS_S
from tidegate.stores.signal_rows import quantile_of

DIMENSIONS: Final = ("route", "arm", "release", "target")
# That are read for one answer. A row of histograms takes as long as several of counts.
MOST_ROWS: Final = 40_000
QUANTILE_ROWS: Final = 4
MAX_SERIES: Final = 2000
_SCOPES_A_QUERY: Final = 5000

Scopes = dict[int, str]
_Point = tuple[str, int]


def read(connection: Connection, query: SignalQuery) -> list[Series]:
    """A series for each name and each scope of which there is something in the window, in this
    order; names that are no signal of receipts are passed over, and receipts know of no dimension
    but `DIMENSIONS`. AskedTooMuch."""
    known = [CATALOGUE[name] for name in query.names if name in CATALOGUE]
    if not known or not {*query.only, *query.apart} <= set(DIMENSIONS):
        return []
    scopes = scopes_of(connection, query)
    if not scopes:
        return []
    series = len(known) * len(set(scopes.values()))
    if series > MAX_SERIES:
        raise AskedTooMuch(
            f"these are {series} series, and an answer has at most {MAX_SERIES}: ask for fewer "
            f"signals, or of one route"
        )
    step_s = _step_s(connection, query, known, len(scopes))
    counted = [one for one in known if one.kind != "quantile"]
    columns = sorted({name for one in counted for name in (one.part, *one.whole)})
    sums = _sums(connection, query, scopes, step_s, columns) if counted else {}
    found = []
    for one in known:
        if one.kind == "quantile":
            values = _quantiles(connection, query, scopes, step_s, one)
        else:
            values = _values(one, columns, sums, step_s)
        found += _series(one, query, step_s, values)
    return found


def scopes_of(connection: Connection, query: SignalQuery) -> Scopes:
    """The numbers of the scopes that are asked for, with the name of the series of each."""
    c = signal_scopes.c
    wanted = (c[name] == value for name, value in query.only.items())
    rows = connection.execute(select(c.id, *(c[name] for name in query.apart)).where(*wanted))
    return {row[0]: "/".join(row[1:]) for row in rows}


def _step_s(connection: Connection, query: SignalQuery, known: Sequence[Known], scopes: int) -> int:
    quantiles = sum(one.kind == "quantile" for one in known)
    cost = scopes * (QUANTILE_ROWS * quantiles + (quantiles < len(known)))
    step_s = step_of(query)
    window_s = query.until_s - query.since_s
    longer = iter(STEPS_S)
    while cost * window_s / _span_s(step_s) > MOST_ROWS and _span_s(step_s) < SPANS_S[-1]:
        step_s = next(step for step in longer if step > step_s)
    if step_s >= HOUR_S:
        return step_s
    oldest, oldest_hour = (_oldest_s(connection, span_s) for span_s in (MINUTE_S, HOUR_S))
    # Minutes are kept for days only: of what was before there are hours.
    gone = oldest is None or (oldest_hour is not None and oldest_hour + HOUR_S <= oldest)
    if gone and (oldest is None or query.since_s < oldest):
        return HOUR_S
    return step_s


def _span_s(step_s: int) -> int:
    """Of the coarsest rows of which steps are made."""
    return next(span_s for span_s in reversed(SPANS_S) if step_s % span_s == 0)


def _oldest_s(connection: Connection, span_s: int) -> int | None:
    c = signals.c
    found: int | None = connection.execute(
        select(func.min(c.start_s)).where(c.span_s == span_s)
    ).scalar()
    return found


def _where(
    table: Table, query: SignalQuery, step_s: int, scopes: list[int]
) -> list[ColumnElement[bool]]:
    c = table.c
    return [
        c.span_s == _span_s(step_s),
        c.scope.in_(scopes),
        c.start_s >= int(query.since_s // step_s) * step_s,
        c.start_s < query.until_s,
    ]


def _parts(scopes: Scopes) -> Iterable[list[int]]:
    numbers = sorted(scopes)
    return (numbers[at : at + _SCOPES_A_QUERY] for at in range(0, len(numbers), _SCOPES_A_QUERY))


def _sums(
    connection: Connection,
    query: SignalQuery,
    scopes: Scopes,
    step_s: int,
    columns: Sequence[str],
) -> dict[_Point, list[int]]:
    """Sums of the columns by series and step."""
    c = signals.c
    found: dict[_Point, list[int]] = {}
    # Rows as coarse as the step lie in the order of the groups, and nothing has to be sorted.
    steps = c.start_s if step_s in SPANS_S else c.start_s - c.start_s % step_s
    by = c.start_s if step_s in SPANS_S else literal_column("step")
    summed = [func.sum(c[name]) for name in columns]
    for some in _parts(scopes):
        # By its name: PostgreSQL takes two expressions with parameters for two.
        asked = select(c.scope, steps.label("step"), *summed).where(
            *_where(signals, query, step_s, some)
        )
        for scope, start_s, *values in connection.execute(asked.group_by(c.scope, by)).all():
            point = scopes[scope], start_s
            there = found.get(point)
            if there is None:
                found[point] = values
            else:
                found[point] = [a + b for a, b in zip(there, values, strict=True)]
    return found


def _quantiles(
    connection: Connection, query: SignalQuery, scopes: Scopes, step_s: int, one: Known
) -> dict[_Point, float | None]:
    c = signal_details.c
    column = c[f"{one.part}_histogram"]
    payloads: defaultdict[_Point, list[bytes]] = defaultdict(list)
    for some in _parts(scopes):
        asked = select(c.scope, c.start_s, column).where(
            *_where(signal_details, query, step_s, some), column.is_not(None)
        )
        for scope, start_s, payload in connection.execute(asked).all():
            payloads[scopes[scope], start_s - start_s % step_s].append(payload)
    return {point: quantile_of(parts, one.quantile) for point, parts in payloads.items()}


def _values(
    one: Known, columns: Sequence[str], sums: dict[_Point, list[int]], step_s: int
) -> dict[_Point, float | None]:
    part = columns.index(one.part)
    if one.kind == "rate":
        factor = one.factor / step_s
        return {point: float(values[part]) * factor for point, values in sums.items()}
    whole = [columns.index(name) for name in one.whole]
    found: dict[_Point, float | None] = {}
    for point, values in sums.items():
        among = float(sum(values[at] for at in whole))
        found[point] = float(values[part]) * one.factor / among if among else None
    return found


def _series(
    one: Known, query: SignalQuery, step_s: int, values: dict[_Point, float | None]
) -> list[Series]:
    by_scope: defaultdict[str, dict[int, float | None]] = defaultdict(dict)
    for (scope, start_s), value in values.items():
        by_scope[scope][start_s] = value
    first = int(query.since_s // step_s) * step_s
    starts = range(first, max(int(-(-query.until_s // 1)), first), step_s)
    return [
        Series(one.name, one.unit, scope, step_s, tuple((at, there.get(at)) for at in starts))
        for scope, there in sorted(by_scope.items())
    ]
