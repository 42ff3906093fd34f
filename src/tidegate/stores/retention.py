"""Retention: old receipts leave in bounded steps and their sums stay, so totals never change."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, delete, select

from tidegate.core.probe import OWN
from tidegate.core.purpose import BATCH_HOLD
from tidegate.stores import database, signal_marks, unfolded
from tidegate.stores.receipts import first_id_at
from tidegate.stores.schema import DAY_S, TOKEN_COLUMNS, receipts, receipts_daily

_KEY = ("day", "team", "key_id", "route", "target")
_COUNTS = tuple(c.name for c in receipts_daily.columns if c.name not in _KEY)
_READ = (
    "id",
    "started_at_s",
    *_KEY[1:],
    "purpose",
    *TOKEN_COLUMNS,
    "attempts",
    "error_code",
    "interrupted",
    "cost_nanousd",
)


def roll_off(
    engine: Engine, before_s: float, *, chunk_rows: int = 2000, chunks: int | None = None
) -> int:
    """Replace receipts that began before `before_s` by their daily sums; returns how many.

    Each chunk is one short transaction, so writers are never kept waiting long; `chunks` bounds
    how many run in this call.
    """
    gone = 0
    while chunks is None or chunks > 0:
        with database.writing(engine) as connection:
            rolled = _roll_off_chunk(connection, before_s, chunk_rows)
        gone += rolled
        if rolled < chunk_rows:
            break
        chunks = None if chunks is None else chunks - 1
    return gone


def _roll_off_chunk(connection: Connection, before_s: float, chunk_rows: int) -> int:
    oldest = (
        select(receipts.c.seq)
        .where(receipts.c.id < first_id_at(before_s))
        .order_by(receipts.c.id)
        .limit(chunk_rows)
    )
    # What goes is what is added up, also while a recorder stores an old receipt.
    going = delete(receipts).where(receipts.c.seq.in_(oldest))
    gone = connection.execute(going.returning(*(receipts.c[name] for name in _READ)))
    rows = [dict(row._mapping) for row in gone]
    # SQLite gives the numbers of the newest again when they go, and marks must not be beyond them.
    signal_marks.lower(connection, unfolded.newest_seq(connection))
    callers = (row for row in rows if _is_of_callers(row))
    for key, counts in _daily(callers).items():
        _add(connection, key, counts)
    return len(rows)


def _is_of_callers(row: dict[str, Any]) -> bool:
    own: tuple[str, ...] = OWN if row["key_id"] is None else (BATCH_HOLD,)
    return row["purpose"] not in own


def _daily(rows: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], list[int]]:
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        key = (int(row["started_at_s"] // DAY_S), *(row[name] or "" for name in _KEY[1:]))
        counts = sums.setdefault(key, [0] * len(_COUNTS))
        for at, value in enumerate(_counts_of(row)):
            counts[at] += value
    return sums


def _counts_of(row: dict[str, Any]) -> list[int]:
    asked = row["attempts"] > 0
    return [
        1,
        int(row["error_code"] is not None),
        int(row["interrupted"]),
        *(row[name] or 0 for name in TOKEN_COLUMNS),
        int(asked and row["input_tokens"] is None),
        row["cost_nanousd"] or 0,
        int(asked and row["cost_nanousd"] is None),
    ]


def _add(connection: Connection, key: tuple[Any, ...], counts: list[int]) -> None:
    values = dict(zip((*_KEY, *_COUNTS), (*key, *counts), strict=True))
    statement = database.upsert(connection, receipts_daily).values(values)
    sums = {name: receipts_daily.c[name] + statement.excluded[name] for name in _COUNTS}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[receipts_daily.c[name] for name in _KEY], set_=sums
        )
    )
