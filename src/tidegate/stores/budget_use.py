"""What was spent of a budget in a time, by the values of its scope.

Sums come from the rollup of spending where it tells the budget's dimensions apart, and otherwise
from the receipts that are still kept.
"""

from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, func, select

from tidegate.core.limit import TARGET_DIMENSIONS
from tidegate.stores import detail_use, openings
from tidegate.stores.receipts import first_id_at, of_callers
from tidegate.stores.schema import receipts, spend
from tidegate.stores.spending import IN_RECEIPTS, ROLLED_UP, quarter_of


class Used(Struct, frozen=True):
    """What one value of a scope has spent; `values` are in the order of the dimensions."""

    values: tuple[str, ...]
    nanousd: int


class Span(Struct, frozen=True):
    """From `since_s` until before `until_s`, on the wall clock, to the quarter of an hour."""

    since_s: float
    until_s: float


def is_rolled_up(dimensions: tuple[str, ...]) -> bool:
    """Whether the rollup tells these apart, so that an answer takes no look at receipts."""
    return all(name in ROLLED_UP for name in dimensions)


def used(
    connection: Connection,
    scope: tuple[str, ...],
    only: tuple[tuple[str, str], ...],
    span: Span,
    *,
    most: int = 100,
) -> list[Used]:
    """The `most` values that spent most, first the highest; () is one value for everything."""
    before = openings.sums(connection, scope, only, span.since_s, span.until_s)
    if not before:
        return _recorded(connection, scope, only, span, most)
    sums = {it.values: it.nanousd for it in _recorded(connection, scope, only, span, None)}
    for values, nanousd in before.items():
        sums[values] = sums.get(values, 0) + nanousd
    found = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    return [Used(*one) for one in found[:most]]


def _recorded(
    connection: Connection,
    scope: tuple[str, ...],
    only: tuple[tuple[str, str], ...],
    span: Span,
    most: int | None,
) -> list[Used]:
    """Of what receipts tell; None is every value."""
    names = (*scope, *(name for name, _ in only))
    if is_rolled_up(names):
        source, amount, conditions = _rolled_up(span)
    elif _in_columns(names):
        source, amount, conditions = _in_receipts(span)
    else:
        return _in_detail(connection, scope, only, span)[:most]
    columns = [_column(source, name) for name in scope]
    conditions += [_column(source, name) == value for name, value in only]
    conditions += [column.is_not(None) & (column != "") for column in columns]
    total = func.sum(amount)
    query = select(*columns, total).where(*conditions).order_by(total.desc(), *columns).limit(most)
    rows = connection.execute(query.group_by(*columns) if columns else query)
    return [Used(tuple(values), int(amount or 0)) for *values, amount in rows]


def _in_columns(dimensions: tuple[str, ...]) -> bool:
    """Whether columns tell all of a receipt's cost apart: those of what served tell its last
    attempt alone."""
    columns = (ROLLED_UP.keys() | IN_RECEIPTS.keys()) - TARGET_DIMENSIONS.keys()
    return all(name in columns for name in dimensions)


def _in_detail(
    connection: Connection, scope: tuple[str, ...], only: tuple[tuple[str, str], ...], span: Span
) -> list[Used]:
    found = detail_use.sums(connection, scope, dict(only), span.since_s, span.until_s)
    if not scope:
        found.setdefault((), 0)
    return [Used(*one) for one in sorted(found.items(), key=lambda one: (-one[1], one[0]))]


def _rolled_up(span: Span) -> tuple[Table, ColumnElement[Any], list[ColumnElement[bool]]]:
    c = spend.c
    inside = [c.quarter >= quarter_of(span.since_s), c.quarter <= quarter_of(span.until_s)]
    return spend, c.cost_nanousd + c.most_nanousd, inside


def _in_receipts(span: Span) -> tuple[Table, ColumnElement[Any], list[ColumnElement[bool]]]:
    c = receipts.c
    inside = [c.id >= first_id_at(span.since_s), c.id < first_id_at(span.until_s), of_callers()]
    return receipts, func.coalesce(c.cost_nanousd, c.most_nanousd, 0), inside


def _column(source: Table, dimension: str) -> ColumnElement[Any]:
    return source.c[ROLLED_UP.get(dimension) or IN_RECEIPTS[dimension]]
