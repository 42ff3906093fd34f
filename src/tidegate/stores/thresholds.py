"""Thresholds that semantic tiers have learnt: appended and read, never edited. The newest of a
route is what its plan is compiled with."""

from typing import Final

import msgspec
from sqlalchemy import Connection, func, insert, select

from tidegate.core.learnt import LearntThreshold
from tidegate.stores import audit
from tidegate.stores.audit import Author
from tidegate.stores.schema_thresholds import thresholds as table

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(LearntThreshold | None).decode


def append(connection: Connection, learnt: LearntThreshold) -> None:
    """Keep it as its route's newest."""
    _append(connection, learnt.route, _encode(learnt).decode())
    said = f"{learnt.threshold:g} with {learnt.encoder}, of {learnt.pairs} pairs: {learnt.reason}"
    audit.append(
        connection, Author(learnt.author, learnt.at_s), "threshold.learn", learnt.route, said
    )


def forget(connection: Connection, route: str, reason: str, by: Author) -> None:
    """From now on the route has learnt none."""
    _append(connection, route, "null")
    audit.append(connection, by, "threshold.forget", route, reason)


def newest(connection: Connection) -> dict[str, LearntThreshold]:
    """By route. One that cannot be read is none."""
    last = select(func.max(table.c.seq)).group_by(table.c.route)
    found = {}
    for row in connection.execute(select(table).where(table.c.seq.in_(last))):
        try:
            learnt = _decode(row.body)
        except (msgspec.DecodeError, RecursionError):
            continue
        if learnt is not None:
            found[row.route] = learnt
    return found


def _append(connection: Connection, route: str, body: str) -> None:
    seq = (connection.execute(select(func.max(table.c.seq))).scalar() or 0) + 1
    connection.execute(insert(table).values(seq=seq, route=route, body=body))
