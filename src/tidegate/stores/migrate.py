"""Bringing a database to this program's schema.

Every step runs in one transaction that begins with the write lock: an interrupted run leaves
nothing behind and is simply run again, and of two processes the second finds the work done.
Revisions only add, so that programs of before and after share a database.
"""

from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, inspect, select

from tidegate.core import plugs
from tidegate.stores import database
from tidegate.stores.errors import SchemaTooNew

FOLDER = Path(__file__).parent / "migrations"
_VERSION = Table("alembic_version", MetaData(), Column("version_num", Text))


def migrate(engine: Engine) -> str:
    """Bring the schema to the newest revision and return its name.

    SchemaTooNew when a newer Tidegate wrote the database, StoreUnavailable when it is locked.
    """
    known = revisions()
    with database.writing(engine) as connection:
        current = _current(connection)
        if current is not None and current not in known:
            raise SchemaTooNew(
                f"{database.path_of(engine)} has schema {current}, newer than this program's "
                f"{known[-1]}: start the Tidegate that wrote it, or a newer one"
            )
        if current == known[-1]:
            return current
        plugs.load("stores", "upgrade")(connection)  # most starts find nothing to do
        return str(_current(connection))


def revisions() -> list[str]:
    """Every revision that this program knows, the oldest first."""
    return sorted(path.name[1:5] for path in FOLDER.glob("r[0-9]*.py"))


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()
