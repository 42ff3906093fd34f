"""Opening balances: what a budget's scope had spent elsewhere before Tidegate counted.

One row belongs to one scope, told by exactly the dimensions of its budget, and to no other: a
key's is no part of its team's, which has a row of its own. In the caller's transaction.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select

from tidegate.core.limit import SEPARATOR
from tidegate.stores import database
from tidegate.stores.schema import meta
from tidegate.stores.schema_imports import openings
from tidegate.stores.spending import opening_of

_CHANGES: Final = "openings"
_OF_KEY: Final = "key"
_counts = msgspec.json.Decoder(dict[str, int]).decode
_json = msgspec.json.Encoder(order="deterministic").encode


class Opening(Struct, frozen=True):
    """`nanousd` spent by `scope`, values by dimension, in the period that holds `at_s`."""

    scope: dict[str, str]
    at_s: float
    nanousd: int


def put(connection: Connection, several: Iterable[Opening], source: str) -> None:
    """Store each, in place of the one that its scope has."""
    rows: list[dict[str, Any]] = []
    for one in several:
        dimensions, scope = opening_of(one.scope)
        rows.append(
            {
                "dimensions": dimensions,
                "scope": scope,
                "at_s": one.at_s,
                "nanousd": one.nanousd,
                "source": source,
            }
        )
    if not rows:
        return
    _note(connection, {row["dimensions"] for row in rows})
    statement = database.upsert(connection, openings)
    kept = {name: statement.excluded[name] for name in ("at_s", "nanousd", "source")}
    key = [openings.c.dimensions, openings.c.scope]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=kept), rows)


def changes(connection: Connection) -> dict[str, int]:
    """By the dimensions of a budget how often its opening balances have changed. Keys' own are
    told by the keys."""
    row = connection.execute(select(meta.c.value).where(meta.c.name == _CHANGES)).one_or_none()
    return {} if row is None else _counts(row.value)


def get(connection: Connection, scope: Mapping[str, str]) -> Opening | None:
    """The opening balance of exactly this scope."""
    dimensions, values = opening_of(scope)
    where = (openings.c.dimensions == dimensions) & (openings.c.scope == values)
    row = connection.execute(select(openings).where(where)).one_or_none()
    return None if row is None else Opening(dict(scope), row.at_s, row.nanousd)


def every(connection: Connection) -> dict[tuple[str, str], Opening]:
    """All of them, by what their scopes are called."""
    found = {}
    for row in connection.execute(select(openings)):
        names = row.dimensions.split(",") if row.dimensions else []
        scope = dict(zip(names, row.scope.split(SEPARATOR), strict=False))
        found[row.dimensions, row.scope] = Opening(scope, row.at_s, row.nanousd)
    return found


def sums(
    connection: Connection,
    scope: tuple[str, ...],
    only: tuple[tuple[str, str], ...],
    since_s: float,
    until_s: float,
) -> dict[tuple[str, ...], int]:
    """Nano-dollars by the values of `scope`, in their order, of a budget that has this scope."""
    wanted = dict(only)
    names = sorted({*scope, *wanted})
    c = openings.c
    query = select(c.scope, c.nanousd).where(
        c.dimensions == ",".join(names), c.at_s >= since_s, c.at_s <= until_s
    )
    if names and len(wanted) == len(names):
        query = query.where(c.scope == opening_of(wanted)[1])
    found = {}
    for text, nanousd in connection.execute(query):
        values = dict(zip(names, text.split(SEPARATOR), strict=True)) if names else {}
        if all(values[name] == value for name, value in wanted.items()):
            found[tuple(values[name] for name in scope)] = nanousd
    return found


def of_key(key_id: ColumnElement[str], since_s: float, until_s: float) -> ColumnElement[Any]:
    """In a query over keys: what each had spent elsewhere, 0 for nothing."""
    c = openings.c
    inside = (c.at_s >= since_s) & (c.at_s <= until_s)
    query = select(c.nanousd).where(c.dimensions == _OF_KEY, c.scope == key_id, inside)
    return func.coalesce(query.scalar_subquery(), 0)


def _note(connection: Connection, dimensions: set[str]) -> None:
    counts = changes(connection)
    counts |= {name: counts.get(name, 0) + 1 for name in dimensions if name != _OF_KEY}
    values = {"name": _CHANGES, "value": _json(counts).decode()}
    statement = database.upsert(connection, meta).values(values)
    fresh = {"value": statement.excluded.value}
    connection.execute(statement.on_conflict_do_update(index_elements=[meta.c.name], set_=fresh))
