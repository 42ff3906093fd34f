"""What providers' prefix caches had and saved in a window of receipts, and how much traffic a
version of a prompt has. A bounded number of receipts is read; where there are more, the newest."""

from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, case, func, or_, select

from tidegate.core.prefix_sums import PrefixSums
from tidegate.stores import database
from tidegate.stores.receipts import SCAN_ROWS, Condition, Filter, bounded, of_callers
from tidegate.stores.schema import receipts

# More groups than anybody reads; those with the most requests are told.
MOST_GROUPS: Final = 1000
_AT_ONCE: Final = 1000
_Key = tuple[str, str, str]


class _Detail(Struct):
    prefix_saved_nanousd: int | None = None


_detail = msgspec.msgpack.Decoder(_Detail).decode


def prefix_sums(
    engine: Engine, which: Filter, *, scan_rows: int = SCAN_ROWS
) -> tuple[list[PrefixSums], bool]:
    """By route, version of the prompt and model, the most requests first; whether nothing of the
    window was left out. Only chats and completions have a prefix."""
    c = receipts.c
    with database.reading(engine) as connection:
        conditions, whole = bounded(connection, which, scan_rows)
        conditions += [of_callers(), c.attempts > 0, c.endpoint.in_(("chat", "completions"))]
        names = _names()
        query = select(*names, *_sums()).where(*conditions).group_by(*names)
        rows = connection.execute(query.order_by(func.count().desc()).limit(MOST_GROUPS + 1)).all()
        touched = or_(c.cache_read_tokens > 0, c.cache_write_tokens > 0)
        details = select(*names, c.detail).where(*conditions, touched)
        saved: dict[_Key, list[int]] = {}
        details = details.where(c.input_tokens.is_not(None))
        found = connection.execute(details.execution_options(yield_per=_AT_ONCE))
        for route, version, model, payload in (tuple(row) for row in found):
            sums = saved.setdefault((route, version, model), [0, 0])
            nanousd = _saved(payload)
            sums[0] += nanousd or 0
            sums[1] += nanousd is None
    told = []
    for row in rows[:MOST_GROUPS]:
        key, counts = (row[0], row[1], row[2]), [int(value or 0) for value in row[3:]]
        nanousd, unknown = saved.get(key, (0, 0))
        values: list[Any] = [*key, *counts[:-1], nanousd, unknown, counts[-1]]
        told.append(PrefixSums(*values))
    return told, whole and len(rows) <= MOST_GROUPS


def requests_by_prefix(
    engine: Engine, which: Filter, *, scan_rows: int = SCAN_ROWS
) -> dict[_Key, int]:
    """How many requests of each route, version and model a window had, as `prefix_sums` names
    them; of the newest where there are more."""
    with database.reading(engine) as connection:
        conditions, _ = bounded(connection, which, scan_rows)
        conditions += [of_callers(), receipts.c.attempts > 0]
        names = _names()
        query = select(*names, func.count()).where(*conditions).group_by(*names)
        return {(row[0], row[1], row[2]): row[3] for row in connection.execute(query)}


def _names() -> list[Any]:
    c = receipts.c
    model = func.coalesce(c.model_served, c.model_wanted, "")
    return [func.coalesce(c.route, ""), func.coalesce(c.prompt_version, ""), model]


def _sums() -> list[Any]:
    c = receipts.c
    known: Condition = c.input_tokens.is_not(None)
    told = known & (c.cache_read_tokens.is_not(None) | c.cache_write_tokens.is_not(None))
    read, written = func.coalesce(c.cache_read_tokens, 0), func.coalesce(c.cache_write_tokens, 0)
    whole = c.input_tokens + read + written
    return [
        func.sum(case((known, 1), else_=0)),
        func.sum(case((known & ~told, 1), else_=0)),
        func.sum(case((known, whole), else_=0)),
        func.sum(case((told, whole), else_=0)),
        func.sum(case((told, read), else_=0)),
        func.sum(case((told, written), else_=0)),
        func.sum(case((known, 0), else_=1)),
    ]


def _saved(payload: bytes) -> int | None:
    try:
        return _detail(payload).prefix_saved_nanousd
    except msgspec.DecodeError:
        return None
