"""Revisions as they are kept: appended and read, never edited. The plan is compiled with them."""

import msgspec
from msgspec import Raw
from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Row, func, insert, select

from tidegate.core.change import Revision
from tidegate.core.signal import Signal
from tidegate.stores import audit, leadership
from tidegate.stores.audit import Author
from tidegate.stores.changes import is_controller
from tidegate.stores.schema_changes import revisions

_json = msgspec.json.Encoder(order="deterministic").encode
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_signals = msgspec.json.Decoder(tuple[Signal, ...]).decode


def append(connection: Connection, revision: Revision) -> Revision:
    """Keep it as the newest, in the transaction that compiles the plan with it; it, numbered.

    Fenced when a controller of a leadership that is over decided it.
    """
    if is_controller(revision.author):
        leadership.check(connection, revision.epoch)
    newest = connection.execute(select(func.max(revisions.c.seq))).scalar() or 0
    kept = replace(revision, seq=newest + 1)
    values = asdict(kept)
    for name in ("members", "base", "evidence"):
        values[name] = _json(values[name]).decode()
    connection.execute(insert(revisions).values(values))
    author = Author(kept.author, kept.at_s)
    subject = kept.rollout or kept.route
    audit.append(connection, author, f"revision.{kept.kind}", subject, kept.reason)
    return kept


def every(connection: Connection, route: str | None = None) -> list[Revision]:
    """In their order; of one route or of all."""
    query = select(revisions).order_by(revisions.c.seq)
    if route is not None:
        query = query.where(revisions.c.route == route)
    return [_revision(row) for row in connection.execute(query)]


def _revision(row: Row[tuple[object, ...]]) -> Revision:
    values = dict(row._mapping)
    values["members"] = _members(values["members"])
    values["base"] = _members(values["base"])
    values["evidence"] = _signals(values["evidence"])
    return Revision(**values)
