import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, text
from tests.stores import rig

from tidegate.stores import database, keys, migrate, schema
from tidegate.stores.errors import SchemaTooNew

_TABLES = set(schema.metadata.tables) | {"alembic_version"}


def test_a_fresh_database_gets_every_table(engine: Engine) -> None:
    assert set(inspect(engine).get_table_names()) >= _TABLES


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    assert migrate.migrate(engine) == migrate.migrate(engine)


def test_a_newer_schema_is_refused_and_left_alone(engine: Engine) -> None:
    with database.writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew, match="schema 9999, newer than"):
        migrate.migrate(engine)


def test_keys_of_before_there_were_priorities_are_standard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database.open_engine(tmp_path / "ledger.db")
    upgrade = ScriptDirectory._upgrade_revs
    with monkeypatch.context() as patched:
        patched.setattr(
            ScriptDirectory,
            "_upgrade_revs",
            lambda scripts, _head, revision: upgrade(scripts, "0001", revision),
        )
        assert migrate.migrate(engine) == "0001"
    with database.writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO keys (id, digest, pepper_version, name, team, purpose, routes,"
                " attributes, created_at_s) VALUES ('aaaa0000', x'00', 1, 'app', 'house', 'eval',"
                " '[]', '{}', 1.0)"
            )
        )
    migrate.migrate(engine)
    found = keys.get(engine, "aaaa0000")
    assert found is not None
    assert found.priority == "standard"
    engine.dispose()


def columns(engine: Engine) -> dict[tuple[str, str], bool]:
    """Every table's columns, and whether a row may be written that does not know of one."""
    there = inspect(engine)
    return {
        (table, column["name"]): bool(column["nullable"] or column["default"] is not None)
        for table in there.get_table_names()
        for column in there.get_columns(table)
    }


def test_each_revision_only_adds_so_that_the_program_before_goes_on_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revisions = migrate.revisions()
    assert len(revisions) > 4
    before: dict[tuple[str, str], bool] = {}
    for revision in revisions:
        engine = rig.migrated_to(tmp_path / "ledger.db", revision, monkeypatch)
        after = columns(engine)
        engine.dispose()
        assert before.items() <= after.items(), f"{revision} changes what was there"
        tables = {table for table, _ in before}
        for table, name in after.keys() - before.keys():
            assert table not in tables or after[table, name], f"{revision} demands {table}.{name}"
        before = after


def killed_at(path: Path, statement: int) -> None:
    """Migrate and be killed right after this many statements that change something."""
    engine = database.open_engine(path)
    left = [statement]

    def count(_connection: object, _cursor: object, sql: str, *_rest: object) -> None:
        if sql.lstrip().startswith(("CREATE", "INSERT")):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "after_cursor_execute", count)
    migrate.migrate(engine)


def test_a_migration_killed_at_any_statement_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    killed = 0
    for statement in range(1, 40):
        ended = rig.exit_of(rig.in_child(partial(killed_at, path, statement)))
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        killed += 1
        opened = database.open_engine(path)
        tables = set(inspect(opened).get_table_names())
        opened.dispose()
        assert tables == set(), "a killed migration left a part of itself"
    assert killed > 8
    opened = rig.migrated_here(path)
    assert set(inspect(opened).get_table_names()) >= _TABLES
    opened.dispose()


def test_of_two_processes_that_migrate_one_finds_the_work_done(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    script = (
        "import pathlib, sys\n"
        "from tidegate.stores import database, migrate\n"
        "print(migrate.migrate(database.open_engine(pathlib.Path(sys.argv[1]))))\n"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
