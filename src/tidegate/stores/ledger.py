"""Writing receipts: a batch, the sums of its spending and the journals' positions in one
transaction, each id once."""

import math
import time
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, Float, bindparam, select

from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.stores import database, rollup
from tidegate.stores.compiled import compiled
from tidegate.stores.database import Upsert
from tidegate.stores.errors import RowRefused, StoreContended
from tidegate.stores.schema import MAX_TOKENS, TOKEN_COLUMNS, journal_positions, receipts
from tidegate.stores.shared import local_name, name_everywhere
from tidegate.stores.spending import MAX_COST_NANOUSD

_IDS_A_QUERY = 500
_TRIES = 4
_JITTER_LETTERS = "0123456789"
_PAUSE_S = 0.05

_MADE = ("seq", "attempts", "detail", "node")
# Columns that hold a receipt's field of the same name.
_FIELDS = tuple(c.name for c in receipts.columns if c.name not in _MADE)
_COLUMNS = (*_FIELDS, *_MADE[1:])
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


class Position(Struct, frozen=True):
    """How far a gateway's journal is in the ledger: everything before `offset` of `segment`."""

    gateway: str
    segment: int
    offset: int


class _Seen(Exception):
    """Some rows of a batch were there before."""


class Ledger:
    """The writer's side. One instance, one thread at a time.

    `node` tells this machine's gateways from those of others that write the same database.
    """

    def __init__(self, engine: Engine, node: str = "") -> None:
        self._engine = engine
        self._node = node
        self._insert = compiled(engine, _insertion(engine), _COLUMNS)
        self._spend = compiled(engine, rollup.addition(engine), rollup.COLUMNS)
        self._move = compiled(engine, _movement(engine), _POSITION)

    def positions(self) -> dict[str, Position]:
        """The position of every known gateway of this machine."""
        with database.reading(self._engine) as connection:
            rows = [tuple(row) for row in connection.execute(select(journal_positions))]
        named = ((local_name(self._node, row[0]), row) for row in rows)
        return {name: Position(name, *row[1:]) for name, row in named if name is not None}

    def write(
        self, batch: Sequence[tuple[Receipt, bytes]], positions: Iterable[Position]
    ) -> list[Receipt]:
        """Store receipts (with their payloads) and positions, all or nothing, durably.

        Returns the receipts that are new; a row that was there before stays as it was.
        StoreError when nothing was stored; of StoreUnavailable that is not sure, and the same
        batch once more does no harm.
        """
        node = self._node
        rows = [(*_fields_of(r), len(r.attempts), payload, node) for r, payload in batch]
        moved = [(name_everywhere(self._node, p.gateway), p.segment, p.offset) for p in positions]
        try:
            known = self._take_turns(rows, moved)
        except (OverflowError, RowRefused):
            # One value that no column can hold must not stop the ledger for good.
            known = self._take_turns([_storable(row) for row in rows], moved)
        if known is None:
            return [receipt for receipt, _ in batch]
        new = {receipt.id: receipt for receipt, _ in reversed(batch) if receipt.id not in known}
        return list(new.values())

    def _take_turns(self, rows: list[Row], moved: list[Row]) -> set[str] | None:
        """Tries a few times where another transaction is in the way: both will not come again at
        the same moment."""
        for left in reversed(range(_TRIES)):
            try:
                return self._write(rows, moved)
            except StoreContended:
                if not left:
                    raise
                time.sleep(_PAUSE_S * int(clock.random_text(_JITTER_LETTERS, 3)) / 999)
        raise AssertionError  # the last try returns or raises

    def _write(self, rows: list[Row], moved: list[Row]) -> set[str] | None:
        """Stores what is new; the ids that were there before, None when every row was new."""
        try:
            with database.writing(self._engine, alone=False) as connection:
                if rows and self._insert(connection, rows) < len(rows):
                    raise _Seen  # which ones, only a second look tells
                self._add_up(connection, rows)
                if moved:
                    self._move(connection, moved)
            return None
        except _Seen:
            return self._write_new(rows, moved)

    def _write_new(self, rows: list[Row], moved: list[Row]) -> set[str]:
        with database.writing(self._engine, alone=False) as connection:
            known = _known(connection, [row[0] for row in rows])
            fresh = {row[0]: row for row in reversed(rows) if row[0] not in known}
            if fresh and self._insert(connection, list(fresh.values())) < len(fresh):
                raise StoreContended("the same receipts are being stored by another")
            self._add_up(connection, fresh.values())
            if moved:
                self._move(connection, moved)
        return known

    def _add_up(self, connection: Connection, rows: Iterable[Row]) -> None:
        # In one order: recorders that add to the same sums then wait, and do not deadlock.
        sums = sorted(_rolled_up(rows))
        if sums:
            self._spend(connection, sums)


def _insertion(engine: Engine) -> Upsert:
    statement = database.upsert(engine, receipts)
    values: dict[str, Any] = {name: bindparam(name) for name in _COLUMNS}
    inserting = statement.values(values).on_conflict_do_nothing(index_elements=[receipts.c.id])
    return inserting.inline()  # nobody asks for its number


def _movement(engine: Engine) -> Upsert:
    statement = database.upsert(engine, journal_positions)
    new = statement.excluded
    return statement.values({name: bindparam(name) for name in _POSITION}).on_conflict_do_update(
        index_elements=[journal_positions.c.gateway],
        set_={"segment": new.segment, "offset": new.offset},
    )


def _known(connection: Connection, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(ids), _IDS_A_QUERY):
        query = select(receipts.c.id).where(receipts.c.id.in_(ids[at : at + _IDS_A_QUERY]))
        found.update(connection.execute(query).scalars())
    return found


def _storable(row: Row) -> Row:
    """The row with figures that no column takes as unknown, and text without what PostgreSQL's
    cannot hold; `detail` still tells them."""
    values = list(row)
    for at, most in _MOST.items():
        value = values[at]
        if value is not None and not 0 <= value <= most:
            values[at] = None
    if values[_STARTED] is None:
        values[_STARTED] = 0.0
    return tuple(it.replace("\0", "\ufffd") if isinstance(it, str) else it for it in values)
