"""Receipts by the order in which one recorder stored them, for folding them again."""

import logging

import msgspec
from sqlalchemy import Connection, func, select

from tidegate.core.receipt import Receipt, decode_payload
from tidegate.stores.schema import receipts

_log = logging.getLogger(__name__)


def stored_after(
    connection: Connection,
    node: str,
    seq: int,
    *,
    most: int,
    upto_seq: int | None = None,
    route: str | None = None,
) -> list[tuple[int, Receipt | None]]:
    """The next `most` receipts of this recorder after the number `seq`, with theirs, of one `route`
    or of all. None stands for one that cannot be read, which is told of and holds up nothing."""
    query = select(receipts.c.seq, receipts.c.detail).where(
        receipts.c.seq > seq, receipts.c.node == node
    )
    if upto_seq is not None:
        query = query.where(receipts.c.seq <= upto_seq)
    if route is not None:
        query = query.where(receipts.c.route == route)
    rows = connection.execute(query.order_by(receipts.c.seq).limit(most))
    return [(row[0], _decoded(row[0], row[1])) for row in rows]


def newest_seq(connection: Connection) -> int:
    """The number of the receipt that was stored last, whosever it is; 0 for none."""
    return connection.execute(select(func.max(receipts.c.seq))).scalar() or 0


def _decoded(seq: int, payload: bytes) -> Receipt | None:
    try:
        return decode_payload(payload)
    except msgspec.DecodeError:
        _log.error("receipt number %d of the ledger cannot be read; no signal counts it", seq)
        return None
