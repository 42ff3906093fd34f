"""What was spent by what only a receipt's own bytes tell: attributes, and the prompt.

Each receipt of the time that cost something is looked at once.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select

from tidegate.core.limit import ATTRIBUTE
from tidegate.stores.receipts import first_id_at
from tidegate.stores.schema import receipts
from tidegate.stores.spending import IN_RECEIPTS, PROMPT, ROLLED_UP

_COLUMNS: Mapping[str, str] = {**ROLLED_UP, **IN_RECEIPTS}
_AT_ONCE = 1000


class _Detail(Struct):
    attributes: dict[str, str] = {}
    prompt_fingerprint: str | None = None


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
    wanted = [name for name in scope if name in _COLUMNS]
    conditions: list[ColumnElement[bool]] = [
        *(c.id >= first_id_at(since_s), c.id < first_id_at(until_s), amount > 0),
        *(c[_COLUMNS[name]] == value for name, value in only.items() if name in _COLUMNS),
        *(c[_COLUMNS[name]].is_not(None) for name in wanted),
    ]
    query = select(amount, c.detail, *(c[_COLUMNS[name]] for name in wanted)).where(*conditions)
    told = {name: value for name, value in only.items() if name not in _COLUMNS}
    found: dict[tuple[str, ...], int] = {}
    rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    for nanousd, payload, *columns in rows:
        values = dict(zip(wanted, columns, strict=True))
        detail = _detail(payload)
        if all(_told(detail, name) == value for name, value in told.items()):
            parts = tuple(values.get(name) or _told(detail, name) for name in scope)
            if all(parts):
                found[parts] = found.get(parts, 0) + int(nanousd)
    return found


def _told(detail: _Detail, name: str) -> Any:
    """Empty where it is absent."""
    if name == PROMPT:
        return detail.prompt_fingerprint or ""
    return detail.attributes.get(name.removeprefix(ATTRIBUTE), "")
