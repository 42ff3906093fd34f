"""What a window sums up to: its receipts, and the daily sums of those no longer kept. Probes are
in neither, unless a window asks for that purpose.

Of receipts a bounded number is read; where the window holds more, the answer says so.
"""

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, case, func, select

from tidegate.core.receipt import METERED
from tidegate.stores import database
from tidegate.stores.figures import Quantiles, Summary, Sums
from tidegate.stores.receipts import SCAN_ROWS, Condition, Filter, asked_by_callers, bounded
from tidegate.stores.schema import DAY_S, receipts, receipts_daily

_QUANTILES = (0.50, 0.95, 0.99)
_NAMES = Sums.__struct_fields__
_COUNTS = ("requests", "errors", "interrupted", "tokens_unknown", "cost_unknown")
# What the daily sums still tell apart; a window of anything else cannot be answered from them.
_KEPT_APART = ("team", "key_id", "route", "target")
_TIMES = ("since_s", "until_s")


def summary(engine: Engine, which: Filter, *, scan_rows: int = SCAN_ROWS) -> Summary:
    """Sums and exact quantiles of a window."""
    with database.reading(engine) as connection:
        conditions, complete = bounded(connection, which, scan_rows)
        if which.purpose is None:
            conditions.append(asked_by_callers())
        row = connection.execute(select(*_sums_of_receipts()).where(*conditions)).one()
        sums, days_from_s = _sums(row), None
        first_day, rolled_off = _rolled_off(connection, which)
        if first_day is not None:
            complete = complete and _is_kept_apart(which)
            if complete:  # between the newest receipts and the days nothing may be left out
                sums, days_from_s = _added(sums, rolled_off), float(first_day * DAY_S)
        return Summary(
            sums=sums,
            ttft_s=_quantiles(connection, receipts.c.ttft_s, conditions),
            total_s=_quantiles(connection, receipts.c.total_s, conditions),
            output_tokens_per_s=_quantiles(connection, receipts.c.output_tokens_per_s, conditions),
            complete=complete,
            days_from_s=days_from_s,
        )


def _uncounted() -> ColumnElement[bool]:
    """Whose tokens nobody knows, though there were some: what is no chat may have none."""
    return receipts.c.input_tokens.is_(None) & receipts.c.endpoint.not_in(sorted(METERED))


def _sums_of_receipts() -> list[ColumnElement[Any]]:
    c = receipts.c
    asked = c.attempts > 0
    return [
        func.count(),
        func.count(c.error_code),
        func.sum(case((c.interrupted, 1), else_=0)),
        func.sum(c.input_tokens),
        func.sum(c.cache_read_tokens),
        func.sum(c.cache_write_tokens),
        func.sum(c.output_tokens),
        func.sum(c.reasoning_tokens),
        func.sum(case((asked & _uncounted(), 1), else_=0)),
        func.sum(c.cost_nanousd),
        func.sum(case((asked & c.cost_nanousd.is_(None), 1), else_=0)),
    ]


def _sums(row: Sequence[Any]) -> Sums:
    """`sum` over no row is NULL: for a count that is 0, for a figure it is unknown."""
    values = {name: None if v is None else int(v) for name, v in zip(_NAMES, row, strict=True)}
    return Sums(**{**values, **{name: values[name] or 0 for name in _COUNTS}})  # type: ignore[arg-type]


def _rolled_off(connection: Connection, which: Filter) -> tuple[int | None, Sums]:
    """The first day of the window of which receipts are gone, and the sums of all such days."""
    c = receipts_daily.c
    conditions = [
        c[name] == value for name in _KEPT_APART if (value := getattr(which, name)) is not None
    ]
    if which.since_s is not None:
        conditions.append(c.day >= math.floor(which.since_s / DAY_S))
    if which.until_s is not None:
        conditions.append(c.day < math.ceil(which.until_s / DAY_S))
    totals = (func.sum(c[name]) for name in _NAMES)
    first_day, *row = connection.execute(select(func.min(c.day), *totals).where(*conditions)).one()
    # A day does not tell "nothing" from "nothing known", but of cost it counts who has none.
    values = dict(zip(_NAMES, row, strict=True))
    some_cost = (values["requests"] or 0) > (values["cost_unknown"] or 0)
    for name in _NAMES:
        if name not in _COUNTS and not (name == "cost_nanousd" and some_cost):
            values[name] = values[name] or None
    return first_day, _sums(tuple(values.values()))


def _is_kept_apart(which: Filter) -> bool:
    return all(
        name in (*_KEPT_APART, *_TIMES) or not getattr(which, name)
        for name in Filter.__struct_fields__
    )


def _added(some: Sums, more: Sums) -> Sums:
    pairs = ((getattr(some, name), getattr(more, name)) for name in _NAMES)
    return Sums(*(None if a is None and b is None else (a or 0) + (b or 0) for a, b in pairs))  # type: ignore[arg-type]


def _quantiles(
    connection: Connection, column: ColumnElement[Any], conditions: list[Condition]
) -> Quantiles:
    present = select(column.label("value")).where(*conditions, column.is_not(None)).subquery()
    count = connection.execute(select(func.count()).select_from(present)).scalar_one()
    if not count:
        return Quantiles(0)
    ranks = [math.ceil(q * count) for q in _QUANTILES]
    rank = func.row_number().over(order_by=present.c.value).label("rank")
    ranked = select(present.c.value, rank).subquery()
    rows = connection.execute(select(ranked.c.rank, ranked.c.value).where(ranked.c.rank.in_(ranks)))
    at_rank = {row[0]: row[1] for row in rows}
    return Quantiles(count, *(at_rank[r] for r in ranks))
