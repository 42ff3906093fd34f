"""Budgets that operators made at run time, and raises of any budget, in the caller's transaction.

Each change puts its audit row beside it. What has ended is history in the audit trail; of raises
the rows stay too, because they say who approved what.
"""

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from tidegate.core.key_limits import OF_KEY
from tidegate.core.plan import PeriodUnit
from tidegate.core.units import format_usd
from tidegate.stores import audit, database
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreError
from tidegate.stores.schema_budgets import budgets, raises

_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_numbers = msgspec.json.Decoder(tuple[int, ...]).decode
_pairs = msgspec.json.Decoder(dict[str, str]).decode
_json = msgspec.json.Encoder(order="deterministic").encode
_TEAM = "team"  # it comes into a scope of sessions and the like, where it is not written


class BudgetNotFound(StoreError):
    """No budget of this name was made at run time."""


class RaiseNotFound(StoreError):
    """There is no raise of this number that has not ended."""


class StoredBudget(Struct, frozen=True):
    """One budget as an operator set it. Either `unit` or `rolling_s` is its period."""

    name: str
    amount_nanousd: int
    unit: PeriodUnit | None
    rolling_s: float | None
    time_zone: str | None
    scope: tuple[str, ...]
    only: dict[str, str]
    hard: bool
    alerts: tuple[int, ...]
    author: str
    at_s: float
    degrades: bool = False


class StoredRaise(Struct, frozen=True):
    """`extra_nanousd` more of a budget until `until_s`, or until it was ended before: for the one
    value of its scope that `scope` says by dimension, or for every one."""

    id: int
    budget: str
    extra_nanousd: int
    until_s: float
    approver: str
    reason: str
    author: str
    at_s: float
    ended_at_s: float | None = None
    scope: dict[str, str] = {}


def put(connection: Connection, budget: StoredBudget) -> None:
    """Store a budget, in place of one of the same name. Raises of values that it does not tell
    apart any more end with that."""
    values = msgspec.structs.asdict(budget)
    for name in ("scope", "only", "alerts"):
        values[name] = _json(values[name]).decode()
    statement = database.upsert(connection, budgets).values(values)
    changes = {name: statement.excluded[name] for name in values if name != "name"}
    connection.execute(
        statement.on_conflict_do_update(index_elements=[budgets.c.name], set_=changes)
    )
    told = f"${format_usd(budget.amount_nanousd)} per {budget.unit or budget.rolling_s}"
    author = Author(budget.author, budget.at_s)
    audit.append(connection, author, "budget.set", budget.name, told)
    apart = {*budget.scope, _TEAM}
    for one in raises_in_force(connection, budget.at_s):
        if one.budget == budget.name and one.scope and {*one.scope, _TEAM} != apart:
            end_raise(connection, budget.name, one.id, author)


def end(connection: Connection, name: str, author: Author) -> None:
    """End a budget, and its raises with it. BudgetNotFound."""
    if not connection.execute(delete(budgets).where(budgets.c.name == name)).rowcount:
        raise BudgetNotFound(f"there is no budget {name} that was made at run time")
    standing = (raises.c.budget == name) & raises.c.ended_at_s.is_(None)
    connection.execute(update(raises).where(standing).values(ended_at_s=author.at_s))
    audit.append(connection, author, "budget.end", name)


def every(connection: Connection) -> list[StoredBudget]:
    """All of them, by name."""
    rows = connection.execute(select(budgets).order_by(budgets.c.name))
    return [_budget(row) for row in rows]


def add_raise(connection: Connection, asked: StoredRaise) -> int:
    """Store a raise under the next number, which is returned; `asked.id` says nothing."""
    values = msgspec.structs.asdict(asked)
    del values["id"]
    values["scope"] = _json(asked.scope).decode() if asked.scope else None
    key = connection.execute(insert(raises).values(values)).inserted_primary_key
    assert key is not None  # noqa: S101  (a single-row insert always has one)
    whose = "".join(f" for {name} {value}" for name, value in asked.scope.items())
    told = f"${format_usd(asked.extra_nanousd)} more{whose}, approved by {asked.approver}"
    told = f"{told}: {asked.reason}"
    audit.append(connection, Author(asked.author, asked.at_s), "budget.raise", asked.budget, told)
    return int(key[0])


def end_raise(connection: Connection, budget: str, raise_id: int, author: Author) -> None:
    """End a raise of this budget before its time. RaiseNotFound."""
    which = (raises.c.id == raise_id) & (raises.c.budget == budget)
    standing = which & raises.c.ended_at_s.is_(None) & (raises.c.until_s > author.at_s)
    if not connection.execute(
        update(raises).where(standing).values(ended_at_s=author.at_s)
    ).rowcount:
        raise RaiseNotFound(f"budget {budget} has no raise {raise_id} in force")
    audit.append(connection, author, "budget.end_raise", budget, str(raise_id))


def raises_in_force(
    connection: Connection, at_s: float, budget: str | None = None
) -> list[StoredRaise]:
    """Raises that have not ended at `at_s`, in the order they were made: of one budget, or of all
    but those that keys bring with them."""
    query = select(raises).where(raises.c.ended_at_s.is_(None), raises.c.until_s > at_s)
    whose = raises.c.budget == budget
    if budget is None:
        whose = func.substr(raises.c.budget, 1, len(OF_KEY)) != OF_KEY
    query = query.where(whose)
    return [_raise(row) for row in connection.execute(query.order_by(raises.c.id))]


def raises_of(connection: Connection, budget: str, limit: int = 50) -> list[StoredRaise]:
    """The newest raises of a budget, ended or not, newest first."""
    query = select(raises).where(raises.c.budget == budget).order_by(raises.c.id.desc())
    return [_raise(row) for row in connection.execute(query.limit(limit))]


def _raise(row: "Row[tuple[Any, ...]]") -> StoredRaise:
    values = dict(row._mapping)
    values["scope"] = _pairs(values["scope"]) if values["scope"] else {}
    return StoredRaise(**values)


def _budget(row: "Row[tuple[Any, ...]]") -> StoredBudget:
    values = dict(row._mapping)
    values["scope"] = _texts(values["scope"])
    values["only"] = _pairs(values["only"])
    values["alerts"] = _numbers(values["alerts"])
    return StoredBudget(**values)
