import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select
from tests.stores import rig

from tidegate.stores import database, receipts
from tidegate.stores.errors import (
    RowRefused,
    StoreCorrupt,
    StoreError,
    StoreUnavailable,
    WriterTaken,
)
from tidegate.stores.ledger import Ledger
from tidegate.stores.schema import meta
from tidegate.stores.summary import summary


def test_a_new_database_is_readable_by_its_owner_only(sqlite_engine: Engine, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with database.writing(sqlite_engine) as connection:
        connection.execute(insert(meta).values(name="a", value="b"))
    for beside in path.parent.glob("ledger.db-*"):
        assert stat.S_IMODE(beside.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
def test_every_connection_is_durable(sqlite_engine: Engine, pragma: str, value: object) -> None:
    with sqlite_engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_writing_is_undone_by_an_exception(engine: Engine) -> None:
    with pytest.raises(KeyError), database.writing(engine) as connection:
        connection.execute(insert(meta).values(name="a", value="b"))
        raise KeyError
    with database.reading(engine) as connection:
        assert connection.execute(select(meta)).all() == []


def test_two_writers_of_one_process_take_turns(engine: Engine) -> None:
    """A transaction that began by reading and then writes would fail here as `locked`."""

    def add(start: int) -> None:
        for number in range(start, start + 30):
            with database.writing(engine) as connection:
                connection.execute(select(meta)).all()
                connection.execute(insert(meta).values(name=str(number), value=""))

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading(engine) as connection:
        assert len(connection.execute(select(meta)).all()) == 60


def add_one(engine: Engine) -> None:
    with database.writing(engine) as connection:
        connection.execute(insert(meta).values(name="a", value="b"))


def test_a_locked_database_is_unavailable_for_now(sqlite_engine: Engine, path: Path) -> None:
    impatient = database.open_engine(path, busy_timeout_s=0.0)
    with database.writing(sqlite_engine), pytest.raises(StoreUnavailable, match="locked"):
        add_one(impatient)
    add_one(impatient)
    impatient.dispose()


def test_a_database_that_another_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "made.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(other):
        other.execute("CREATE TABLE t (a)")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            database.open_engine(path, busy_timeout_s=0.05)
        timer = threading.Timer(0.1, other.execute, ["COMMIT"])
        timer.start()
        database.open_engine(path).dispose()
        timer.join()


def test_values_that_no_column_takes_are_refused_by_name(engine: Engine) -> None:
    with pytest.raises(RowRefused, match=r"(?i)not.null"), database.writing(engine) as connection:
        connection.execute(insert(meta).values(name="a", value=None))


def test_an_error_never_carries_the_values(engine: Engine) -> None:
    with pytest.raises(RowRefused) as caught, database.writing(engine) as connection:
        connection.execute(insert(meta).values(name="private-text", value=None))
    assert "private-text" not in f"{caught.value} {caught.value.__cause__}"


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match=r"ledger\.db"):
        database.open_engine(tmp_path / "file" / "ledger.db")


def test_a_file_that_is_no_database_is_refused_with_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, " * 500)
    with pytest.raises(StoreCorrupt, match="put a backup in its place"):
        database.open_engine(path)


def test_flipped_bytes_are_refused_or_do_no_harm(path: Path, tmp_path: Path) -> None:
    """Damage is found at the start, or at the read, or it hit bytes that nobody reads."""
    engine = rig.migrated(path)
    kept = [rig.receipt(rig.NOON_S + i, total_s=float(i)) for i in range(200)]
    Ledger(engine).write(rig.entries(*kept), [])
    engine.dispose()
    subprocess.run([sys.executable, "-c", _CHECKPOINT, str(path)], check=True, capture_output=True)
    sound, draw, refused = path.read_bytes(), random.Random(11), 0
    damaged = tmp_path / "damaged.db"
    for _ in range(150):
        at = draw.randrange(len(sound))
        damaged.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
        refused += _is_refused(damaged)
        for beside in tmp_path.glob("damaged.db-*"):
            beside.unlink()
    assert refused > 0


_CHECKPOINT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.close()
"""


def _is_refused(path: Path) -> bool:
    try:
        engine = database.open_engine(path)
    except StoreCorrupt:
        return True
    try:
        summary(engine, receipts.Filter())
    except StoreError:
        return True
    finally:
        engine.dispose()
    return False


def test_a_cut_wal_opens_with_what_was_whole(path: Path, tmp_path: Path) -> None:
    engine = rig.migrated_here(path)
    ledger = Ledger(engine)
    for number in range(20):
        ledger.write(rig.entries(rig.receipt(rig.NOON_S + number)), [])
    wal = path.with_name("ledger.db-wal").read_bytes()
    base = path.read_bytes()
    engine.dispose()
    counts = []
    for part in (len(wal), len(wal) // 2, 100, 0):
        copy = tmp_path / f"copy-{part}.db"
        copy.write_bytes(base)
        copy.with_name(copy.name + "-wal").write_bytes(wal[:part])
        opened = rig.migrated_here(copy)
        counts.append(summary(opened, receipts.Filter()).sums.requests)
        opened.dispose()
    assert counts[0] == 20
    assert counts == sorted(counts, reverse=True)


def test_a_long_reader_makes_the_wal_wait_and_not_stay_large(
    path: Path, sqlite_engine: Engine
) -> None:
    wal, ledger = path.with_name("ledger.db-wal"), Ledger(sqlite_engine)

    def write_some() -> None:
        for _ in range(12):
            ledger.write(rig.entries(*(rig.receipt() for _ in range(500))), [])

    write_some()
    settled = wal.stat().st_size
    with database.reading(sqlite_engine) as connection:
        connection.execute(select(meta)).all()  # the snapshot begins here
        write_some()
        starved = wal.stat().st_size
    assert starved > settled
    write_some()
    write_some()
    assert wal.stat().st_size < 1.3 * starved, "its space is used again"


def test_the_look_for_damage_ends_in_time(path: Path, sqlite_engine: Engine) -> None:
    Ledger(sqlite_engine).write(rig.entries(*(rig.receipt() for _ in range(3000))), [])
    quick = database.open_engine(path, check_s=-1.0)
    assert summary(quick, receipts.Filter()).sums.requests == 3000
    quick.dispose()


def test_there_is_one_writing_process(path: Path) -> None:
    mine = database.claim_writer(path)
    with pytest.raises(WriterTaken, match=f"process {os.getpid()}"):
        database.claim_writer(path)
    mine.close()
    database.claim_writer(path).close()


def test_a_killed_writer_leaves_no_claim(path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys\n"
        "from tidegate.stores import database\n"
        "claim = database.claim_writer(pathlib.Path(sys.argv[1]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -9
    database.claim_writer(path).close()


def test_other_errors_of_the_driver_are_translated() -> None:
    with pytest.raises(StoreUnavailable, match="somewhere"), database.translated("somewhere"):
        raise sqlite3.OperationalError("disk I/O error")
