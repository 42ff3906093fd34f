"""Releases' blocks: one row for each look at a release, in order, each stored once."""

import logging
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, delete, func, select

from tidegate.core.block import Block
from tidegate.stores import database
from tidegate.stores.schema_signals import release_blocks

KEPT_S: Final = 400 * 86_400
MAX_BLOCKS: Final = 10_000
# Who stores blocks of what was assessed; no recorder is called so.
ASSESSED: Final = ":assessed"

_log = logging.getLogger(__name__)

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Block).decode


def append(connection: Connection, node: str, block: Block, after_seq: int, upto_seq: int) -> None:
    """Store a block under the rollout's next number, which is not the one it came with. In a
    transaction that is the only one at a time, and that moves the mark of its receipts."""
    c = release_blocks.c
    newest = connection.execute(select(func.max(c.number)).where(c.rollout == block.rollout))
    number = (newest.scalar() or 0) + 1
    values = {
        "rollout": block.rollout,
        "node": node,
        "number": number,
        "began_s": block.began_s,
        "ended_s": block.ended_s,
        "after_seq": after_seq,
        "upto_seq": upto_seq,
        "weight": block.weight,
        "payload": _pack(replace(block, number=number)),
    }
    connection.execute(database.upsert(connection, release_blocks).values(values).inline())


def after(
    connection: Connection, rollout: str, seq: int, *, most: int = MAX_BLOCKS
) -> list[tuple[int, Block]]:
    """Blocks of a rollout stored after the one of this number, in order, `most` at most; 0 asks
    for the first."""
    c = release_blocks.c
    query = (
        select(c.seq, c.payload)
        .where(c.rollout == rollout, c.seq > seq)
        .order_by(c.seq)
        .limit(most)
    )
    found = ((number, _block(number, payload)) for number, payload in connection.execute(query))
    return [(number, block) for number, block in found if block is not None]


def newest_seq(connection: Connection) -> int:
    """The number of the newest block of all; 0 while there is none."""
    return connection.execute(select(func.max(release_blocks.c.seq))).scalar() or 0


def news(
    connection: Connection, seq: int, *, most: int = MAX_BLOCKS
) -> dict[str, list[tuple[int, Block]]]:
    """Blocks of every rollout stored after this number, `most` at most, each rollout's in order."""
    c = release_blocks.c
    query = select(c.rollout, c.seq, c.payload).where(c.seq > seq).order_by(c.seq).limit(most)
    found: dict[str, list[tuple[int, Block]]] = {}
    for rollout, number, payload in connection.execute(query):
        block = _block(number, payload)
        if block is not None:
            found.setdefault(rollout, []).append((number, block))
    return found


class Look(Struct, frozen=True):
    """When a block was closed, of which receipts in the ledger it is, and at which weight."""

    began_s: float
    ended_s: float
    after_seq: int
    upto_seq: int
    weight: float | None


def looks(connection: Connection, rollout: str, node: str) -> list[Look]:
    """How one recorder has cut a rollout's receipts so far, in order."""
    c = release_blocks.c
    query = select(c.began_s, c.ended_s, c.after_seq, c.upto_seq, c.weight)
    ordered = query.where(c.rollout == rollout, c.node == node).order_by(c.seq)
    return [Look(*row) for row in connection.execute(ordered)]


class Weighed(Struct, frozen=True):
    """When a recorder's block began and ended, and at which weight."""

    seq: int
    node: str
    began_s: float
    ended_s: float
    weight: float | None


def weighed(connection: Connection, rollout: str, seq: int) -> list[Weighed]:
    """Of all recorders, after the block of that number, in order."""
    c = release_blocks.c
    query = select(c.seq, c.node, c.began_s, c.ended_s, c.weight).where(
        c.rollout == rollout, c.seq > seq, c.node != ASSESSED
    )
    return [Weighed(*row) for row in connection.execute(query.order_by(c.seq))]


def drop_old(engine: Engine, now_s: float) -> int:
    """Delete blocks that are older than they are kept; how many are gone."""
    old = release_blocks.c.ended_s < now_s - KEPT_S
    with database.writing(engine) as connection:
        return connection.execute(delete(release_blocks).where(old)).rowcount


def _block(seq: int, payload: bytes) -> Block | None:
    """None where it cannot be read: one row must not keep the loop from every release."""
    try:
        return _unpack(payload)
    except msgspec.DecodeError:
        _log.error("block %d of a release cannot be read and does not count; roll it back", seq)
        return None
