"""What was spent by what only a receipt's own bytes tell: attributes, the prompt, and what served
the attempts before the last.

Each receipt of the time that cost something is looked at once.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select

from tidegate.core.earlier_cost import EarlierCost, split
from tidegate.core.limit import ATTRIBUTE, TARGET_DIMENSIONS
from tidegate.stores.receipts import first_id_at, of_callers
from tidegate.stores.schema import receipts
from tidegate.stores.spending import IN_RECEIPTS, PROMPT, ROLLED_UP

_COLUMNS: Mapping[str, str] = {**ROLLED_UP, **IN_RECEIPTS}
_AT_ONCE = 1000


class _Detail(Struct):
    attributes: dict[str, str] = {}
    prompt_fingerprint: str | None = None
    earlier_costs: list[EarlierCost] | None = None


_detail = msgspec.msgpack.Decoder(_Detail).decode


def sums(
    connection: Connection,
    scope: tuple[str, ...],
    only: Mapping[str, str],
    since_s: float,
    until_s: float,
) -> dict[tuple[str, ...], int]:
    """Nano-dollars by the values of `scope`. A receipt in which one is absent is not counted."""
    c = receipts.c
    amount = func.coalesce(c.cost_nanousd, c.most_nanousd, 0)
    served = {name: value for name, value in only.items() if name in TARGET_DIMENSIONS}
    fixed = {name: value for name, value in only.items() if name not in served}
    in_columns = [name for name in scope if name in _COLUMNS]
    conditions: list[ColumnElement[bool]] = [
        *(c.id >= first_id_at(since_s), c.id < first_id_at(until_s), amount != 0, of_callers()),
        *(c[_COLUMNS[name]] == value for name, value in fixed.items() if name in _COLUMNS),
        *(c[_COLUMNS[name]].is_not(None) for name in in_columns if name not in TARGET_DIMENSIONS),
    ]
    columns = list(dict.fromkeys((*in_columns, *served)))
    query = select(amount, c.detail, *(c[_COLUMNS[name]] for name in columns)).where(*conditions)
    told = {name: value for name, value in fixed.items() if name not in _COLUMNS}
    found: dict[tuple[str, ...], int] = {}
    rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    for nanousd, payload, *there in rows:
        detail = _detail(payload)
        if any(_told(detail, name) != value for name, value in told.items()):
            continue
        values = dict(zip(columns, there, strict=True))
        for at, part in _by_target(values, int(nanousd), detail):
            if any(at[name] != value for name, value in served.items()):
                continue
            names = [at[name] if name in at else _told(detail, name) for name in scope]
            parts = tuple(name for name in names if name)
            if part and len(parts) == len(scope):
                found[parts] = found.get(parts, 0) + part
    return found


def _by_target(
    values: dict[str, str | None], nanousd: int, detail: _Detail
) -> list[tuple[dict[str, str | None], int]]:
    """The values that a receipt has, and what was spent with them: other attempts had others."""
    parts, left = split(nanousd, detail.earlier_costs or ())
    served = [
        ({name: getattr(one, column) for name, column in TARGET_DIMENSIONS.items()}, part)
        for one, part in parts
    ]
    return [*(({**values, **there}, part) for there, part in served), (values, left)]


def _told(detail: _Detail, name: str) -> Any:
    """Empty where it is absent."""
    if name == PROMPT:
        return detail.prompt_fingerprint or ""
    return detail.attributes.get(name.removeprefix(ATTRIBUTE), "")
