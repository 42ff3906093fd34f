"""Receipts by the order in which one recorder stored them, for folding them again."""

import logging

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select

from tidegate.core.receipt import Receipt, decode_payload
from tidegate.stores.schema import receipts

_log = logging.getLogger(__name__)


class Stretch(Struct, frozen=True):
    """Receipts beyond one number and up to another, of one route or of all."""

    after_seq: int
    upto_seq: int | None = None
    route: str | None = None


def stored(
    connection: Connection, node: str, which: Stretch, *, most: int
) -> list[tuple[int, Receipt | None]]:
    """The first `most` receipts of this recorder there, with their numbers. None stands for one
    that cannot be read, which is told of and holds up nothing."""
    query = select(receipts.c.seq, receipts.c.detail).where(
        receipts.c.seq > which.after_seq, receipts.c.node == node
    )
    if which.upto_seq is not None:
        query = query.where(receipts.c.seq <= which.upto_seq)
    if which.route is not None:
        query = query.where(receipts.c.route == which.route)
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
