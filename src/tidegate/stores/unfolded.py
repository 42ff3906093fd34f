"""Receipts by the order in which one recorder stored them, for folding them again."""

import logging
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

from tidegate.core.receipt import Receipt, decode_payload
from tidegate.stores.schema import receipts

_log = logging.getLogger(__name__)
_c = receipts.c


def stored_after(
    connection: Connection, node: str, seq: int, *, most: int
) -> list[tuple[int, Receipt | None]]:
    """The next `most` receipts of this recorder after the number `seq`, with theirs. None stands
    for one that cannot be read, which is told of and holds up nothing."""
    return _read(connection, _numbered().where(_c.seq > seq, _c.node == node), most)


def stored_within(
    connection: Connection, node: str, route: str, numbers: tuple[int, int], *, most: int
) -> list[tuple[int, Receipt | None]]:
    """The same, of one route alone, after the first of these numbers and up to the last."""
    after, upto = numbers
    within = (_c.seq > after) & (_c.seq <= upto)
    return _read(connection, _numbered().where(within, _c.node == node, _c.route == route), most)


def newest_seq(connection: Connection) -> int:
    """The number of the receipt that was stored last, whosever it is; 0 for none."""
    return connection.execute(select(func.max(receipts.c.seq))).scalar() or 0


def _numbered() -> Select[tuple[Any, ...]]:
    return select(_c.seq, _c.detail)


def _read(
    connection: Connection, query: Select[tuple[Any, ...]], most: int
) -> list[tuple[int, Receipt | None]]:
    rows = connection.execute(query.order_by(_c.seq).limit(most))
    return [(row[0], _decoded(row[0], row[1])) for row in rows]


def _decoded(seq: int, payload: bytes) -> Receipt | None:
    try:
        return decode_payload(payload)
    except msgspec.DecodeError:
        _log.error("receipt number %d of the ledger cannot be read; no signal counts it", seq)
        return None
