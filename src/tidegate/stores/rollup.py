"""The rollup of spending: one row for each quarter-hour and combination of dimensions, and one for
all that is long ago.

It is added to in the transaction that stores the receipts, from the rows that are new in it, so
that a receipt counts here as often as it is there: once. What its earlier attempts cost at other
targets is in their rows, as money without a request.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, bindparam, delete, select

from tidegate.core.earlier_cost import MARKER, EarlierCost, split
from tidegate.core.probe import OWN
from tidegate.core.purpose import BATCH_HOLD
from tidegate.stores import database
from tidegate.stores.database import Upsert
from tidegate.stores.schema import TOKEN_COLUMNS, spend
from tidegate.stores.spending import ROLLED_UP, quarter_of

KEY = ("quarter", *ROLLED_UP.values())
SUMS = (
    "requests",
    *TOKEN_COLUMNS,
    "cost_nanousd",
    "most_nanousd",
    "cost_unknown",
    "cost_estimated_nanousd",
)
COLUMNS = (*KEY, *SUMS)
_KNOWN = (*TOKEN_COLUMNS, "cost_nanousd")
_COST, _MOST, _ESTIMATED = map(
    SUMS.index, ("cost_nanousd", "most_nanousd", "cost_estimated_nanousd")
)

Row = tuple[Any, ...]


class _Detail(Struct):
    earlier_costs: list[EarlierCost] | None = None


_detail = msgspec.msgpack.Decoder(_Detail).decode


def rolled_up(columns: Sequence[str]) -> Callable[[Iterable[Row]], list[Row]]:
    """Makes of rows of receipts, whose columns are these, rows to add to the rollup."""
    place = columns.index
    started = place("started_at_s")
    dimensions = itemgetter(*(place(name) for name in ROLLED_UP.values()))
    known = itemgetter(*(place(name) for name in _KNOWN))
    most, attempts = place("most_nanousd"), place("attempts")
    key_id, purpose = place("key_id"), place("purpose")
    estimated, detail = place("tokens_estimated"), place("detail")

    def roll_up(rows: Iterable[Row]) -> list[Row]:
        sums: dict[Row, list[int]] = {}
        for row in rows:
            if row[key_id] is None and row[purpose] in OWN:
                continue  # nobody's spending
            key = (quarter_of(row[started]), *dimensions(row))
            figures = known(row)
            cost = figures[-1]
            unknown = cost is None
            values = (
                row[purpose] != BATCH_HOLD,
                *figures,
                row[most] if unknown else 0,
                unknown and row[attempts] > 0,
                cost if row[estimated] else 0,
            )
            if key in sums:
                sums[key] = [a + (b or 0) for a, b in zip(sums[key], values, strict=True)]
            else:
                sums[key] = [int(b or 0) for b in values]
            if MARKER in row[detail]:
                money = (_MOST,) if unknown else (_COST, _ESTIMATED)[: 1 + bool(row[estimated])]
                _move_earlier(sums, key, row[detail], values[money[0]] or 0, money)
        return [(key[0], *(name or "" for name in key[1:]), *it) for key, it in sums.items()]

    return roll_up


def _move_earlier(
    sums: dict[Row, list[int]], key: Row, payload: bytes, spent: int, money: Sequence[int]
) -> None:
    """Of what a receipt spent, what was spent at other targets goes to their rows; the request
    itself, and its tokens, are the last target's. `money` are the places in which it stands."""
    parts, _ = split(spent, _detail(payload).earlier_costs or ())
    for one, nanousd in parts:
        if not nanousd:
            continue
        # The columns of what served are the last of the key. No column of text takes a NUL.
        served = (one.target, one.model_wanted, one.provider)
        there = (*key[:-3], *(name and name.replace("\0", "\ufffd") for name in served))
        row = sums.setdefault(there, [0] * len(SUMS))
        for place in money:
            sums[key][place] -= nanousd
            row[place] += nanousd


def addition(engine: Engine) -> Upsert:
    """The statement that adds a row of COLUMNS to what its key has."""
    statement = database.upsert(engine, spend)
    return statement.values({name: bindparam(name) for name in COLUMNS}).on_conflict_do_update(
        index_elements=[spend.c[name] for name in KEY],
        set_={name: spend.c[name] + statement.excluded[name] for name in SUMS},
    )


def fold(engine: Engine, before_s: float, *, chunk_rows: int = 2000) -> int:
    """Makes one row of quarters that ended before `before_s` for each combination of dimensions,
    at quarter 0, in short transactions; returns how many rows are gone.

    Each chunk is whole quarters and at least one, so writers are never kept waiting long.
    """
    gone = 0
    columns = [spend.c[name] for name in COLUMNS]
    add = addition(engine)
    while True:
        with database.writing(engine) as connection:
            old = (spend.c.quarter > 0) & (spend.c.quarter < quarter_of(before_s))
            query = select(spend.c.quarter).where(old).order_by(spend.c.quarter).limit(chunk_rows)
            quarters = connection.execute(query).scalars().all()
            if not quarters:
                return gone
            some = old & (spend.c.quarter <= quarters[-1])
            rows = connection.execute(delete(spend).where(some).returning(*columns)).all()
            gone += len(rows)
            connection.execute(add, [{**row._mapping, "quarter": 0} for row in rows])
