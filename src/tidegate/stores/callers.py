"""Revocations of callers without a key. Each puts its feed entry and its audit row in the same
transaction; reading on a gateway's behalf is `key_reader`."""

from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, insert, select

from tidegate.core.caller import Meant
from tidegate.stores import audit, database, feed
from tidegate.stores.audit import Author
from tidegate.stores.schema_callers import caller_revocations as table


class Revoked(Struct, frozen=True):
    """One row: who, until which tokens (None: all), since when and by whom."""

    id: str
    issuer: str
    subject: str | None
    token_id: str | None
    before_s: float | None
    at_s: float
    author: str


def revoke(engine: Engine, meant: Meant, before_s: float | None, author: Author) -> int:
    """Let them in no more, in the place of what was said of them before. Returns the feed
    number."""
    with database.writing(engine) as connection:
        connection.execute(delete(table).where(table.c.id == meant.id))
        row = {
            "id": meant.id,
            "issuer": meant.issuer,
            "subject": meant.subject,
            "token_id": meant.token_id,
            "before_s": before_s,
            "at_s": author.at_s,
            "author": author.actor,
        }
        connection.execute(insert(table).values(row))
        until = "" if before_s is None else f", tokens made until {before_s:.0f}"
        audit.append(connection, author, "caller.revoke", meant.id, f"{meant}{until}")
        return feed.append_key(connection, meant.id, author.at_s)


def restore(engine: Engine, meant: Meant, author: Author) -> int | None:
    """Let them in again. Returns the feed number; None where they were not revoked."""
    with database.writing(engine) as connection:
        gone = connection.execute(delete(table).where(table.c.id == meant.id))
        if not gone.rowcount:
            return None
        audit.append(connection, author, "caller.restore", meant.id, str(meant))
        return feed.append_key(connection, meant.id, author.at_s)


def find(connection: Connection, limit: int = 1000) -> list[Revoked]:
    """The newest first."""
    query = select(table).order_by(table.c.at_s.desc(), table.c.id).limit(limit)
    return [Revoked(**row._mapping) for row in connection.execute(query)]
