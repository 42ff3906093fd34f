"""Bringing a database to this program's schema.

Every step runs in one transaction that begins with the write lock: an interrupted run leaves
nothing behind and is simply run again, and of two processes the second finds the work done.
Revisions only add, so that programs of before and after share a database.
"""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Text, inspect

from tidegate.stores import database, postgres_engine
from tidegate.stores.errors import SchemaTooNew

_FOLDER = Path(__file__).parent / "migrations"
_PATIENCE_S = 3600.0
_BYTES = "C"


def migrate(engine: Engine) -> str:
    """Bring the schema to the newest revision and return its name.

    SchemaTooNew when a newer Tidegate wrote the database, StoreUnavailable when it is locked.
    """
    scripts = _scripts()
    with database.writing(engine) as connection:
        _refuse_newer(_current(connection), scripts, engine)
        if not database.is_shared(engine):
            _upgrade(connection, scripts)
        else:
            with postgres_engine.patient(connection, _PATIENCE_S):
                _sort_by_bytes(connection, _upgrade(connection, scripts))
        return str(_current(connection))


def _upgrade(connection: Connection, scripts: ScriptDirectory) -> Operations:
    context = MigrationContext.configure(
        connection,
        opts={
            "fn": lambda revision, _context: scripts._upgrade_revs("head", revision),
            "transactional_ddl": True,
        },
    )
    with Operations.context(context) as operations:
        context.run_migrations()
    return operations


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER), version_locations=[str(_FOLDER)])


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(current: str | None, scripts: ScriptDirectory, engine: Engine) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNew(
            f"{database.path_of(engine)} has schema {current}, newer than this program's "
            f"{scripts.get_current_head()}: start the Tidegate that wrote it, or a newer one"
        )


def _sort_by_bytes(connection: Connection, operations: Operations) -> None:
    """Have text compared as SQLite does: ids are in the order of time, prefixes are ranges.

    PostgreSQL would go by the rules of the database's language.
    """
    there = inspect(connection)
    for table in there.get_table_names():
        for column in there.get_columns(table):
            kind = column["type"]
            if isinstance(kind, Text) and kind.collation != _BYTES:
                operations.alter_column(table, column["name"], type_=Text(collation=_BYTES))
