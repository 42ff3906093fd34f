"""Writing receipts: a batch, the sums of its spending and the journals' positions in one
transaction, each id once."""

import math
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, Float, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from tidegate.core.receipt import Receipt
from tidegate.stores import database, rollup
from tidegate.stores.errors import RowRefused
from tidegate.stores.schema import MAX_TOKENS, TOKEN_COLUMNS, journal_positions, receipts
from tidegate.stores.spending import MAX_COST_NANOUSD

_IDS_A_QUERY = 500

# Columns that hold a receipt's field of the same name; the rest are made here.
_FIELDS = tuple(c.name for c in receipts.columns if c.name not in ("seq", "attempts", "detail"))
_COLUMNS = (*_FIELDS, "attempts", "detail")
_fields_of = attrgetter(*_FIELDS)
_rolled_up = rollup.rolled_up(_COLUMNS)
_STARTED = _COLUMNS.index("started_at_s")


def _most_of(name: str) -> float | None:
    if name in TOKEN_COLUMNS:
        return MAX_TOKENS
    if name in ("cost_nanousd", "most_nanousd"):
        return MAX_COST_NANOUSD
    return math.inf if isinstance(receipts.c[name].type, Float) else None


# Numbers by their place in a row, with the most that each may be.
_MOST = {at: most for at, name in enumerate(_COLUMNS) if (most := _most_of(name)) is not None}
_MOST[_COLUMNS.index("status")] = 999

_POSITION = ("gateway", "segment", "offset")

Row = tuple[Any, ...]
Statement = sqlite.Insert | postgresql.Insert


class Position(Struct, frozen=True):
    """How far a gateway's journal is in the ledger: everything before `offset` of `segment`."""

    gateway: str
    segment: int
    offset: int


class _Seen(Exception):
    """Some rows of a batch were there before."""


class Ledger:
    """The writer's side. One instance, one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = _compiled(engine, _insertion(engine), _COLUMNS)
        self._spend = _compiled(engine, rollup.addition(engine), rollup.COLUMNS)
        self._move = _compiled(engine, _movement(engine), _POSITION)

    def positions(self) -> dict[str, Position]:
        """Every known gateway's position."""
        with database.reading(self._engine) as connection:
            return {row[0]: Position(*row) for row in connection.execute(select(journal_positions))}

    def write(
        self, batch: Sequence[tuple[Receipt, bytes]], positions: Iterable[Position]
    ) -> list[Receipt]:
        """Store receipts (with their payloads) and positions, all or nothing, durably.

        Returns the receipts that are new; a row that was there before stays as it was.
        StoreError when nothing was stored.
        """
        rows = [(*_fields_of(r), len(r.attempts), payload) for r, payload in batch]
        moved = [(p.gateway, p.segment, p.offset) for p in positions]
        try:
            known = self._write(rows, moved)
        except (OverflowError, RowRefused):
            # One value that no column can hold must not stop the ledger for good.
            known = self._write([_storable(row) for row in rows], moved)
        if known is None:
            return [receipt for receipt, _ in batch]
        new = {receipt.id: receipt for receipt, _ in reversed(batch) if receipt.id not in known}
        return list(new.values())

    def _write(self, rows: list[Row], moved: list[Row]) -> set[str] | None:
        """Stores what is new; the ids that were there before, None when every row was new."""
        try:
            with database.writing(self._engine) as connection:
                if rows and self._insert(connection, rows) < len(rows):
                    raise _Seen  # which ones, only a second look tells
                if rows:
                    self._spend(connection, _rolled_up(rows))
                if moved:
                    self._move(connection, moved)
            return None
        except _Seen:
            return self._write_new(rows, moved)

    def _write_new(self, rows: list[Row], moved: list[Row]) -> set[str]:
        with database.writing(self._engine) as connection:
            known = _known(connection, [row[0] for row in rows])
            fresh = {row[0]: row for row in reversed(rows) if row[0] not in known}
            if fresh:
                self._insert(connection, list(fresh.values()))
                self._spend(connection, _rolled_up(fresh.values()))
            if moved:
                self._move(connection, moved)
        return known


def _insertion(engine: Engine) -> Statement:
    statement = database.upsert(engine, receipts)
    values: dict[str, Any] = {name: bindparam(name) for name in _COLUMNS}
    return statement.values(values).on_conflict_do_nothing(index_elements=[receipts.c.id])


def _movement(engine: Engine) -> Statement:
    statement = database.upsert(engine, journal_positions)
    new = statement.excluded
    return statement.values({name: bindparam(name) for name in _POSITION}).on_conflict_do_update(
        index_elements=[journal_positions.c.gateway],
        set_={"segment": new.segment, "offset": new.offset},
    )


def _compiled(
    engine: Engine, statement: Statement, columns: Sequence[str]
) -> Callable[[Connection, list[Row]], int]:
    """Runs a statement for rows of `columns`; returns how many rows it changed.

    Compiled once, and rows go to the driver as they are: that is most of a receipt's cost.
    """
    compiled = statement.compile(dialect=engine.dialect)
    sql = str(compiled)
    positional = bool(engine.dialect.positional)

    def run(connection: Connection, rows: list[Row]) -> int:
        parameters: Any = rows
        if not positional:
            parameters = [dict(zip(columns, row, strict=True)) for row in rows]
        return connection.exec_driver_sql(sql, parameters).rowcount

    return run


def _known(connection: Connection, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(ids), _IDS_A_QUERY):
        query = select(receipts.c.id).where(receipts.c.id.in_(ids[at : at + _IDS_A_QUERY]))
        found.update(connection.execute(query).scalars())
    return found


def _storable(row: Row) -> Row:
    """The row with figures that no column takes as unknown; `detail` still tells them."""
    values = list(row)
    for at, most in _MOST.items():
        value = values[at]
        if value is not None and not 0 <= value <= most:
            values[at] = None
    if values[_STARTED] is None:
        values[_STARTED] = 0.0
    return tuple(values)
