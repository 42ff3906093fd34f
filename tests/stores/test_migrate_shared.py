"""Migrating a database that others may migrate at the same time, or be killed while they do."""

import importlib
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, Text, event, inspect, text
from tests.postgres import Server
from tests.stores import rig

from tidegate.core.secret import Secret
from tidegate.stores import database, migrate, postgres_engine, schema
from tidegate.stores.errors import StoreUnavailable

pytestmark = pytest.mark.postgres

for _file in Path(schema.__file__).parent.glob("schema*.py"):
    importlib.import_module(f"tidegate.stores.{_file.stem}")
_TABLES = set(schema.metadata.tables) | {"alembic_version"}


def tables(url: Secret) -> set[str]:
    engine = postgres_engine.open_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def killed_at(url: Secret, statement: int) -> None:
    """Migrate and be killed right after this many statements that change something."""
    engine = postgres_engine.open_engine(url)
    left = [statement]

    def count(_connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        if sql.lstrip().startswith(("CREATE", "INSERT", "ALTER", "UPDATE")):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "after_cursor_execute", count)
    migrate.migrate(engine)


def test_a_migration_killed_on_its_way_leaves_nothing_and_is_run_again(postgres: Server) -> None:
    url = postgres.database()
    killed = 0
    for statement in range(1, 2000, 71):
        ended = rig.exit_of(rig.in_child(partial(killed_at, url, statement)))
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        killed += 1
        assert tables(url) == set(), "a killed migration left a part of itself"
    assert killed > 5
    assert tables(url) == _TABLES
    postgres.drop(url)


def test_of_several_that_migrate_one_does_and_the_others_find_it_done(postgres: Server) -> None:
    url = postgres.database()
    script = (
        "import sys\n"
        "from tidegate.core.secret import Secret\n"
        "from tidegate.stores import migrate, postgres_engine\n"
        "engine = postgres_engine.open_engine(Secret(sys.argv[1]))\n"
        "print(migrate.migrate(engine))\n"
        "engine.dispose()\n"
    )
    repository = Path(__file__).resolve().parents[2]
    several = [
        subprocess.Popen(
            [sys.executable, "-c", script, url.reveal()], stdout=subprocess.PIPE, cwd=repository
        )
        for _ in range(3)
    ]
    said = {process.communicate()[0] for process in several}
    assert [process.returncode for process in several] == [0, 0, 0]
    assert len(said) == 1
    assert tables(url) == _TABLES
    postgres.drop(url)


def test_a_connection_that_migrated_is_as_impatient_as_before(postgres: Server) -> None:
    url = postgres.database()
    engine = postgres_engine.open_engine(url, patience_s=0.5, most=1)
    migrate.migrate(engine)
    with (
        postgres.frozen(),
        pytest.raises(StoreUnavailable),
        database.writing(engine) as connection,
    ):
        connection.execute(text("SELECT 1"))
    engine.dispose()
    postgres.drop(url)


def test_all_text_is_sorted_as_sqlite_does(shared_engine: Engine) -> None:
    """The database's own language would put `a` before `B`."""
    there = inspect(shared_engine)
    kinds = [
        column["type"]
        for table in schema.metadata.tables
        for column in there.get_columns(table)
        if isinstance(column["type"], Text)
    ]
    assert len(kinds) > 30
    assert {kind.collation for kind in kinds} == {"C"}
