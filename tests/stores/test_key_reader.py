import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.stores import rig

from tidegate.stores import database, keys
from tidegate.stores.audit import Author
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.key_reader import KeyReader
from tidegate.stores.ledger import Ledger, Position
from tidegate.stores.shared import Shared

ANN = Author("ann", rig.NOON_S)


def test_a_gateway_reads_what_control_wrote(engine: Engine, place: Path | Shared) -> None:
    record = rig.key(
        "aaaa0000",
        routes=("fast", "slow"),
        priority="batch",
        attributes={"a": "b"},
        expires_at_s=rig.NOON_S,
    )
    keys.create(engine, record, ANN)
    reader = KeyReader(place, timeout_s=5.0)
    assert reader.get("aaaa0000") == record
    assert reader.get("bbbb0000") is None
    keys.revoke(engine, "aaaa0000", ANN)
    revoked = reader.get("aaaa0000")
    assert revoked is not None
    assert revoked.revoked_at_s == rig.NOON_S
    reader.close()


def test_the_journals_position_is_there_for_who_waits_for_the_ledger(
    engine: Engine, place: Path | Shared
) -> None:
    reader = KeyReader(place, timeout_s=5.0)
    assert reader.journal_position("g0") is None
    Ledger(engine).write([], [Position("g0", 3, 77)])
    assert reader.journal_position("g0") == (3, 77)
    reader.close()


def test_it_reads_on_while_control_is_away(path: Path) -> None:
    """Control's last connection takes the WAL with it, and a kill leaves it behind."""
    engine = rig.migrated(path)
    keys.create(engine, rig.key("aaaa0000"), ANN)
    reader = KeyReader(path)
    assert reader.get("aaaa0000") is not None
    engine.dispose()
    assert reader.get("aaaa0000") is not None
    reader.close()
    late = KeyReader(path)
    assert late.get("aaaa0000") is not None
    late.close()


def test_it_reads_what_a_killed_writer_had_committed(path: Path) -> None:
    rig.migrated(path).dispose()
    script = (
        "import os, pathlib, signal, sys\n"
        "from tests.stores import rig\n"
        "from tidegate.stores import keys, database\n"
        "from tidegate.stores.audit import Author\n"
        "engine = database.open_engine(pathlib.Path(sys.argv[1]))\n"
        "keys.create(engine, rig.key('aaaa0000'), Author('ann', 0.0))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    repository = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=repository)
    assert done.returncode == -9
    reader = KeyReader(path)
    assert reader.get("aaaa0000") is not None
    reader.close()


def test_a_missing_database_is_unavailable_and_comes_back(path: Path) -> None:
    reader = KeyReader(path)
    with pytest.raises(StoreUnavailable, match=r"ledger\.db"):
        reader.get("aaaa0000")
    engine = rig.migrated(path)
    assert reader.get("aaaa0000") is None
    reader.close()
    engine.dispose()


def test_a_database_without_tables_is_unavailable_not_empty(path: Path) -> None:
    database.open_engine(path).dispose()
    reader = KeyReader(path)
    with pytest.raises(StoreUnavailable, match="no such table"):
        reader.get("aaaa0000")
    reader.close()


def test_a_damaged_database_is_unavailable(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, " * 500)
    reader = KeyReader(path)
    with pytest.raises(StoreUnavailable, match="not a database"):
        reader.get("aaaa0000")


def test_an_unreadable_row_is_unavailable_not_a_key(engine: Engine, place: Path | Shared) -> None:
    keys.create(engine, rig.key("aaaa0000"), ANN)
    with database.writing(engine) as connection:
        connection.execute(text("UPDATE keys SET routes = '{]'"))
    reader = KeyReader(place, timeout_s=5.0)
    with pytest.raises(StoreUnavailable, match="aaaa0000 is unreadable"):
        reader.get("aaaa0000")
    reader.close()


def test_an_exclusive_lock_is_unavailable_and_not_waited_for_long(
    sqlite_engine: Engine, path: Path
) -> None:
    keys.create(sqlite_engine, rig.key("aaaa0000"), ANN)
    reader = KeyReader(path, timeout_s=0.01)
    sqlite_engine.dispose()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode=DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"):
        reader.get("aaaa0000")
    holder.execute("ROLLBACK")
    holder.close()
    assert reader.get("aaaa0000") is not None
    reader.close()


def test_a_restored_backup_is_read_without_a_restart(path: Path, tmp_path: Path) -> None:
    engine = rig.migrated(path)
    engine.dispose()
    other = rig.migrated(tmp_path / "other.db")
    keys.create(other, rig.key("aaaa0000"), ANN)
    other.dispose()
    reader = KeyReader(path)
    assert reader.get("aaaa0000") is None
    for beside in path.parent.glob("ledger.db-*"):
        beside.unlink()
    for name in ("other.db", "other.db-wal"):
        source = tmp_path / name
        if source.exists():
            source.replace(path.with_name(name.replace("other.db", "ledger.db")))
    assert reader.get("aaaa0000") is not None
    reader.close()


def test_it_may_be_made_in_one_thread_and_used_in_another(
    engine: Engine, place: Path | Shared
) -> None:
    keys.create(engine, rig.key("aaaa0000"), ANN)
    reader, found = KeyReader(place, timeout_s=5.0), []
    thread = threading.Thread(target=lambda: found.append(reader.get("aaaa0000")))
    thread.start()
    thread.join()
    assert found[0] is not None
    reader.close()


def test_it_cannot_write(engine: Engine, place: Path | Shared) -> None:
    reader = KeyReader(place, timeout_s=5.0)
    reader.get("aaaa0000")
    connection = reader._connection
    assert connection is not None
    with pytest.raises(Exception, match=r"read-?only"):
        connection.execute("DELETE FROM keys")
    reader.close()


def test_a_gateway_that_imports_it_loads_no_sql_toolkit() -> None:
    script = (
        "import sys, tidegate.stores.key_reader\n"
        "assert not {'sqlalchemy', 'alembic'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
