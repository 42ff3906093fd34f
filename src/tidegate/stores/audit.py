"""Who changed what and when. Rows are added in the transaction of the change they tell of."""

from msgspec import Struct
from sqlalchemy import Connection, Engine, insert, select

from tidegate.stores import database
from tidegate.stores.schema import audit


class AuditRow(Struct, frozen=True):
    """One change. `what` is a verb with its object, as in `key.revoke`; no secret in `detail`."""

    seq: int
    at_s: float
    actor: str
    what: str
    subject: str
    detail: str


class Author(Struct, frozen=True):
    """Who makes a change, and when (wall-clock seconds)."""

    actor: str
    at_s: float


def append(
    connection: Connection, author: Author, what: str, subject: str, detail: str = ""
) -> None:
    """Add a row in the caller's transaction."""
    row = {
        "at_s": author.at_s,
        "actor": author.actor,
        "what": what,
        "subject": subject,
        "detail": detail,
    }
    connection.execute(insert(audit).values(row))


def note(engine: Engine, author: Author, what: str, subject: str) -> None:
    """Add a row of a change that was made outside the database. StoreError."""
    with database.writing(engine) as connection:
        append(connection, author, what, subject)


def of_kind(
    connection: Connection, what: str, since_s: float, until_s: float, *, limit: int = 100
) -> list[AuditRow]:
    """Of one verb and object, in this time; newest first, at most `limit`."""
    c = audit.c
    within = (c.what == what) & c.at_s.between(since_s, until_s)
    query = select(audit).where(within).order_by(c.at_s.desc(), c.seq.desc()).limit(limit)
    return [AuditRow(*row) for row in connection.execute(query)]


def recent(
    connection: Connection, *, limit: int = 100, before_seq: int | None = None
) -> list[AuditRow]:
    """Newest first, at most `limit`, below `before_seq`."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if before_seq is not None:
        query = query.where(audit.c.seq < before_seq)
    return [AuditRow(*row) for row in connection.execute(query)]
