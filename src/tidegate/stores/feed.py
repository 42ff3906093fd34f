"""The numbered feed as it is kept: what changed, in order, for every gateway.

Numbers have no gaps and are there in their order, because transactions that append take turns.
"""

from typing import Final, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from tidegate.core.feed import MOST_TOLD, TOLD_S, Invalidation
from tidegate.stores.schema import feed

Kind = Literal["key", "plan", "changes", "answers"]
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Invalidation).decode


class FeedRow(Struct, frozen=True):
    """One kept entry. `key_id` with kind `key`, `plan_version` with kind `plan`; of `changes` that
    what is in force is another than it was, of `answers` the `invalidation` (JSON)."""

    seq: int
    kind: Kind
    key_id: str | None
    plan_version: int | None
    at_s: float
    invalidation: str | None = None

    @property
    def invalidated(self) -> Invalidation | None:
        """The kept answers that it is about."""
        return None if self.invalidation is None else _decode(self.invalidation)


def append_key(connection: Connection, key_id: str, at_s: float) -> int:
    """Number a change of a key, in the caller's transaction. Returns its number."""
    return _append(connection, {"kind": "key", "key_id": key_id, "at_s": at_s})


def append_keys(connection: Connection, key_ids: list[str], at_s: float) -> None:
    """Number a change of each of these keys, in their order and the caller's transaction."""
    first = newest_seq(connection) + 1
    rows = [
        {"seq": seq, "kind": "key", "key_id": it, "at_s": at_s}
        for seq, it in enumerate(key_ids, first)
    ]
    if rows:
        connection.execute(insert(feed), rows)


def append_plan(connection: Connection, plan_version: int, at_s: float) -> int:
    """Number a published plan, in the caller's transaction. Returns its number."""
    return _append(connection, {"kind": "plan", "plan_version": plan_version, "at_s": at_s})


def has_plan(connection: Connection, plan_version: int) -> bool:
    """Whether a plan of this version was numbered before, and that is still kept."""
    mine = (feed.c.kind == "plan") & (feed.c.plan_version == plan_version)
    return connection.execute(select(feed.c.seq).where(mine).limit(1)).first() is not None


def append_changes(connection: Connection, at_s: float) -> int:
    """Number that other changes are in force, in the caller's transaction. Returns its number."""
    return _append(connection, {"kind": "changes", "at_s": at_s})


def append_invalidation(connection: Connection, one: Invalidation, at_s: float) -> int:
    """Number kept answers that may be given no more, in the caller's transaction. Returns its
    number."""
    told = _encode(one).decode()
    return _append(connection, {"kind": "answers", "invalidation": told, "at_s": at_s})


def invalidated_lately(connection: Connection, now_s: float) -> tuple[Invalidation, ...]:
    """The newest that may still concern an answer, in their order."""
    query = select(feed.c.invalidation).where(_lately(now_s))
    query = query.order_by(feed.c.seq.desc()).limit(MOST_TOLD)
    told = [_decode(text) for text in connection.execute(query).scalars()]
    return tuple(reversed(told))


def after(connection: Connection, seq: int, limit: int = 1000) -> list[FeedRow]:
    """Entries above `seq`, ascending, at most `limit`."""
    query = select(feed).where(feed.c.seq > seq).order_by(feed.c.seq).limit(limit)
    return [FeedRow(*row) for row in connection.execute(query)]


def newest_seq(connection: Connection) -> int:
    """The highest number given so far; 0 when none was."""
    return connection.execute(select(func.max(feed.c.seq))).scalar() or 0


def trim(connection: Connection, keep: int, now_s: float) -> int:
    """Drop all but the newest `keep` entries (1 at least, so numbers go on), and those from the
    oldest invalidation on that is still to be told: what is kept has no gaps. Returns how many."""
    floor = newest_seq(connection) - max(keep, 1)
    told = select(feed.c.seq).where(_lately(now_s)).order_by(feed.c.seq.desc()).limit(MOST_TOLD)
    oldest = connection.execute(select(func.min(told.subquery().c.seq))).scalar()
    if oldest is not None:
        floor = min(floor, oldest - 1)
    return connection.execute(delete(feed).where(feed.c.seq <= floor)).rowcount


def _lately(now_s: float) -> ColumnElement[bool]:
    return (feed.c.kind == "answers") & (feed.c.at_s >= now_s - TOLD_S)


def _append(connection: Connection, values: dict[str, object]) -> int:
    # Counted here: a sequence of PostgreSQL's would leave gaps where a transaction was undone.
    seq = newest_seq(connection) + 1
    connection.execute(insert(feed).values(seq=seq, **values))
    return seq
