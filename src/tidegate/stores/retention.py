"""Retention: old receipts leave in bounded steps and their sums stay, so totals never change."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, case, delete, func, select

from tidegate.stores import database
from tidegate.stores.receipts import first_id_at
from tidegate.stores.schema import receipts, receipts_daily

_DAY_S = 86_400
_TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_KEY = ("day", "team", "key_id", "route", "target")
_COUNTS = tuple(c.name for c in receipts_daily.columns if c.name not in _KEY)
_READ = (
    "id",
    "started_at_s",
    *_KEY[1:],
    *_TOKENS,
    "attempts",
    "error_code",
    "interrupted",
    "cost_nanousd",
)


class Totals(Struct, frozen=True):
    """Everything the ledger has ever taken in, whether its receipts are still kept or not.

    Sums are over what is known; the `_unknown` fields count requests that reached a provider
    and have no figure.
    """

    requests: int
    errors: int
    interrupted: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    tokens_unknown: int
    cost_nanousd: int
    cost_unknown: int


class Day(Struct, frozen=True):
    """One day's sums of one team, key, route and target, of receipts no longer kept.

    `day` counts UTC days since 1970-01-01. None: those receipts had no such name.
    """

    day: int
    team: str | None
    key_id: str | None
    route: str | None
    target: str | None
    sums: Totals


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


def totals(engine: Engine) -> Totals:
    """Sums over kept receipts and daily sums together. Reads the whole ledger."""
    with database.reading(engine) as connection:
        kept = connection.execute(select(*_sums_of_receipts())).one()
        daily = [func.sum(receipts_daily.c[name]) for name in _COUNTS]
        rolled = connection.execute(select(*daily)).one()
    return Totals(*(int(a or 0) + int(b or 0) for a, b in zip(kept, rolled, strict=True)))


def days(engine: Engine, first_day: int, last_day: int, *, limit: int = 10_000) -> list[Day]:
    """Daily sums from `first_day` to `last_day`, both included, at most `limit`."""
    columns = receipts_daily.c
    query = (
        select(*(columns[name] for name in (*_KEY, *_COUNTS)))
        .where(columns.day >= first_day, columns.day <= last_day)
        .order_by(*(columns[name] for name in _KEY))
        .limit(limit)
    )
    with database.reading(engine) as connection:
        return [_day(row) for row in connection.execute(query)]


def _day(row: Sequence[Any]) -> Day:
    day, team, key_id, route, target, *sums = row
    return Day(day, team or None, key_id or None, route or None, target or None, Totals(*sums))


def _roll_off_chunk(connection: Connection, before_s: float, chunk_rows: int) -> int:
    query = (
        select(*(receipts.c[name] for name in _READ))
        .where(receipts.c.id < first_id_at(before_s))
        .order_by(receipts.c.id)
        .limit(chunk_rows)
    )
    rows = [dict(row._mapping) for row in connection.execute(query)]
    if not rows:
        return 0
    for key, counts in _daily(rows).items():
        _add(connection, key, counts)
    connection.execute(delete(receipts).where(receipts.c.id <= rows[-1]["id"]))
    return len(rows)


def _daily(rows: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], list[int]]:
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        key = (int(row["started_at_s"] // _DAY_S), *(row[name] or "" for name in _KEY[1:]))
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
        *(row[name] or 0 for name in _TOKENS),
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


def _sums_of_receipts() -> list[Any]:
    c = receipts.c
    asked = c.attempts > 0
    return [
        func.count(),
        func.count(c.error_code),
        func.sum(case((c.interrupted, 1), else_=0)),
        *(func.sum(c[name]) for name in _TOKENS),
        func.sum(case((asked & c.input_tokens.is_(None), 1), else_=0)),
        func.sum(c.cost_nanousd),
        func.sum(case((asked & c.cost_nanousd.is_(None), 1), else_=0)),
    ]
