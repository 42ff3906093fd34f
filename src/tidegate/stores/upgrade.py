"""The steps of a migration. Loaded where there are any to take: most starts find none, and what
this stands on takes as long to load as the whole store."""

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Text, inspect

from tidegate.stores import database, postgres_engine
from tidegate.stores.migrate import FOLDER

_PATIENCE_S = 3600.0
_BYTES = "C"


def scripts() -> ScriptDirectory:
    """The revisions, and which follows which."""
    return ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])


def upgrade(connection: Connection) -> None:
    """Take every step up to the newest revision, in the transaction that `connection` is in."""
    if not database.is_shared(connection):
        _upgrade(connection)
        return
    with postgres_engine.patient(connection, _PATIENCE_S):
        _sort_by_bytes(connection, _upgrade(connection))


def _upgrade(connection: Connection) -> Operations:
    directory = scripts()
    context = MigrationContext.configure(
        connection,
        opts={
            "fn": lambda revision, _context: directory._upgrade_revs("head", revision),
            "transactional_ddl": True,
        },
    )
    with Operations.context(context) as operations:
        context.run_migrations()
    return operations


def _sort_by_bytes(connection: Connection, operations: Operations) -> None:
    """Have text compared as SQLite does: ids are in the order of time, prefixes are ranges.

    PostgreSQL would go by the rules of the database's language.
    """
    for (_, table), columns in inspect(connection).get_multi_columns().items():
        for column in columns:
            kind = column["type"]
            if isinstance(kind, Text) and kind.collation != _BYTES:
                operations.alter_column(table, column["name"], type_=Text(collation=_BYTES))


plug = upgrade
