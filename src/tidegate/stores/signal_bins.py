"""Storing bins: what is new is added to the rows of its minute, hour, day and week, in one
transaction with the mark of the receipts that it is made of.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, bindparam, delete, select

from tidegate.core.bin import COUNTS, HISTOGRAMS, MINUTE_S, Bin, BinKey
from tidegate.stores import database, signal_marks
from tidegate.stores.compiled import compiled
from tidegate.stores.database import Upsert
from tidegate.stores.schema_signals import signal_details, signal_scopes, signals
from tidegate.stores.signal_rows import Row, packed, row_of, summed, unpacked

HOUR_S: Final = 3600
DAY_S: Final = 86_400
WEEK_S: Final = 7 * DAY_S
SPANS_S: Final = (MINUTE_S, HOUR_S, DAY_S, WEEK_S)
# Three days are the longest window that an alert looks at by the minute; 13 months are 396 days.
KEPT_S: Final = {
    MINUTE_S: 4 * DAY_S,
    HOUR_S: 400 * DAY_S,
    DAY_S: 400 * DAY_S,
    WEEK_S: 407 * DAY_S,
}

_SCOPE: Final = ("route", "arm", "release", "target")
_KEY: Final = ("span_s", "scope", "start_s", "node")
_DETAILS: Final = (*(f"{name}_histogram" for name in HISTOGRAMS), "detail")
_WRITTEN: Final = (*_KEY, "changed", *COUNTS)
_WRITTEN_BESIDE: Final = (*_KEY, *_DETAILS)
_SCOPES_A_QUERY: Final = 400

Scope = tuple[str, str, str, str]
# Second at which a span begins, number of the scope.
_Slot = tuple[int, int]


class SignalWriter:
    """One recorder's side. Not safe between threads. `node` tells it from others of a database."""

    def __init__(self, engine: Engine, node: str) -> None:
        self._node = node
        self._write = compiled(engine, _replacing(engine, signals), _WRITTEN)
        self._write_beside = compiled(engine, _replacing(engine, signal_details), _WRITTEN_BESIDE)
        self._scopes: dict[Scope, int] = {}

    def forget(self) -> None:
        """After a transaction that failed, or may have."""
        self._scopes.clear()

    def add(self, connection: Connection, bins: Mapping[BinKey, Bin], folded_seq: int) -> None:
        """Add bins, which are all receipts since the mark up to this number. In a transaction that
        is the only one at a time; whoever's fails calls `forget`."""
        if bins:
            changed = signal_marks.next_change(connection)
            rows = [(key.minute_s, key[1:], row_of(one)) for key, one in bins.items()]
            numbers = self._numbers(connection, {scope for _, scope, _ in rows})
            for span_s in SPANS_S:
                slots: defaultdict[_Slot, list[Row]] = defaultdict(list)
                for minute_s, scope, row in rows:
                    slots[minute_s - minute_s % span_s, numbers[scope]].append(row)
                self._merge(connection, span_s, slots, changed)
        signal_marks.set_folded(connection, self._node, folded_seq)

    def _merge(
        self,
        connection: Connection,
        span_s: int,
        slots: Mapping[_Slot, list[Row]],
        changed: int,
    ) -> None:
        there: dict[_Slot, Row] = {}
        for start_s in {start_s for start_s, _ in slots}:
            scopes = [scope for start, scope in slots if start == start_s]
            for at in range(0, len(scopes), _SCOPES_A_QUERY):
                some = scopes[at : at + _SCOPES_A_QUERY]
                for scope, *columns in self._there(connection, span_s, start_s, some):
                    there[start_s, scope] = unpacked(columns)
        written, beside = [], []
        for slot, rows in slots.items():
            start_s, scope = slot
            counts, details = packed(summed(rows, there.get(slot)))
            key = span_s, scope, start_s, self._node
            written.append((*key, changed, *counts))
            beside.append((*key, *details))
        self._write(connection, written)
        self._write_beside(connection, beside)

    def _there(
        self, connection: Connection, span_s: int, start_s: int, scopes: list[int]
    ) -> Iterable[Any]:
        c, beside = signals.c, signal_details.c
        columns = (*(c[name] for name in COUNTS), *(beside[name] for name in _DETAILS))
        query = (
            select(c.scope, *columns)
            .join(signal_details, together())
            .where(
                c.span_s == span_s,
                c.start_s == start_s,
                c.node == self._node,
                c.scope.in_(scopes),
            )
        )
        return connection.execute(query).all()

    def _numbers(self, connection: Connection, scopes: set[Scope]) -> dict[Scope, int]:
        """The number of each, given to those that are new."""
        missing = [
            dict(zip(_SCOPE, one, strict=True)) for one in sorted(scopes - self._scopes.keys())
        ]
        if missing:
            statement = database.upsert(connection, signal_scopes)
            adding = statement.values({name: bindparam(name) for name in _SCOPE})
            connection.execute(adding.on_conflict_do_nothing().inline(), missing)
            columns = (signal_scopes.c[name] for name in (*_SCOPE, "id"))
            self._scopes = {
                (row[0], row[1], row[2], row[3]): row[4]
                for row in connection.execute(select(*columns))
            }
        return {scope: self._scopes[scope] for scope in scopes}


def together() -> ColumnElement[bool]:
    """Which rows of `signals` and of `signal_details` belong together."""
    return and_(*(signals.c[name] == signal_details.c[name] for name in _KEY))


def drop_old(engine: Engine, now_s: float, *, part_rows: int = 2000) -> int:
    """Delete rows that are older than they are kept; how many are gone. In short transactions, so
    that nobody who writes is kept waiting long."""
    gone = 0
    for span_s, kept_s in KEPT_S.items():
        c = signals.c
        old = (c.span_s == span_s) & (c.start_s < int(now_s - kept_s))
        some = select(c.start_s).where(old).order_by(c.start_s).limit(part_rows)
        while True:
            with database.writing(engine) as connection:
                starts = connection.execute(some).scalars().all()
                if not starts:
                    break
                for table in (signals, signal_details):
                    of_span = (table.c.span_s == span_s) & (table.c.start_s <= starts[-1])
                    gone += connection.execute(delete(table).where(of_span)).rowcount
    return gone


def _replacing(engine: Engine, table: Table) -> Upsert:
    statement = database.upsert(engine, table)
    names = [column.name for column in table.c]
    values = statement.values({name: bindparam(name) for name in names})
    replaced = {name: statement.excluded[name] for name in names if name not in _KEY}
    keys = [table.c[name] for name in _KEY]
    return values.on_conflict_do_update(index_elements=keys, set_=replaced).inline()
