"""Captured turns that wait until it is known what their users did next. Each leaves once."""

from collections.abc import Collection, Iterable
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, select

from tidegate.core.capture import Captured
from tidegate.stores import database
from tidegate.stores.in_parts import delete_in_parts
from tidegate.stores.schema_turns import turns

# Where no route has users' next turns looked at, nobody takes them.
KEPT_S: Final = 2 * 86_400.0
_AT_ONCE: Final = 500

_t = turns.c


class Waiting(Struct, frozen=True):
    """One of them, of no content. Times are wall-clock seconds."""

    receipt_id: str
    conversation: str
    route: str
    at_s: float
    stored_at_s: float


def wait(connection: Connection, several: Iterable[Captured], now_s: float) -> None:
    """From now on these wait, as far as it is known which conversation they are of."""
    rows = [
        {
            "receipt_id": it.receipt_id,
            "conversation": it.conversation,
            "route": it.route,
            "at_s": it.at_s,
            "stored_at_s": now_s,
        }
        for it in several
        if it.conversation is not None
    ]
    if rows:
        statement = database.upsert(connection, turns).on_conflict_do_nothing()
        connection.execute(statement, rows)


def due(connection: Connection, before_s: float, *, after: str = "", most: int) -> list[Waiting]:
    """Those that were asked before, the oldest first, from behind that id on."""
    query = select(turns).where(_t.at_s <= before_s, _t.receipt_id > after)
    query = query.order_by(_t.receipt_id).limit(most)
    return [Waiting(**row) for row in connection.execute(query).mappings()]


def leave(connection: Connection, ids: Collection[str]) -> set[str]:
    """They wait no more; those of which that was not so before."""
    gone: set[str] = set()
    some = sorted(ids)
    for at in range(0, len(some), _AT_ONCE):
        part = delete(turns).where(_t.receipt_id.in_(some[at : at + _AT_ONCE]))
        gone.update(connection.execute(part.returning(_t.receipt_id)).scalars())
    return gone


def drop_old(engine: Engine, now_s: float) -> int:
    """Delete those that nobody has looked at for too long, in short transactions; how many."""
    some = select(_t.receipt_id).where(_t.stored_at_s < now_s - KEPT_S).limit(_AT_ONCE)
    return delete_in_parts(engine, delete(turns).where(_t.receipt_id.in_(some)), _AT_ONCE)
