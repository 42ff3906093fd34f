"""A file behind memory: what was put comes back, or nothing does, whatever became of the file."""

import queue
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tidegate.core import clock
from tidegate.stores import kept_file
from tidegate.stores.kept_file import KeptFile, KeptRow


def rows(file: KeptFile) -> dict[bytes, KeptRow]:
    """All that it reads."""
    pages: queue.SimpleQueue[list[KeptRow]] = queue.SimpleQueue()

    def heard(page: list[KeptRow]) -> bool:
        pages.put(page)
        return True

    file.load(heard)
    found: dict[bytes, KeptRow] = {}
    while page := pages.get(timeout=10.0):
        found |= {row.name: row for row in page}
    return found


def opened(path: Path) -> KeptFile:
    file = KeptFile(path)
    file.start().result(10.0)
    return file


def filled(path: Path, count: int = 3) -> None:
    file = opened(path)
    for number in range(count):
        file.put("exact:a", b"%d" % number, lambda number=number: b"data %d" % number, 60.0)
    file.stop()


def test_what_was_put_comes_back_and_what_was_dropped_does_not(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kept.db"
    filled(path, 450)
    file = opened(path)
    file.drop("exact:a", b"7")
    file.put("exact:a", b"8", lambda: b"other", 60.0)
    found = rows(file)
    assert len(found) == 449
    assert (found[b"9"].data, found[b"9"].place) == (b"data 9", "exact:a")
    assert found[b"8"].data == b"other"
    assert 0 < found[b"9"].left_s <= 60.0
    file.clear()
    file.stop()
    again = opened(path)
    assert rows(again) == {}
    again.stop()
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_told_is_remembered_for_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now_s = tmp_path / "kept.db", 1000.0
    monkeypatch.setattr(clock, "wall_s", lambda: now_s)
    file = opened(path)
    file.heard("one", b"1", 100.0)
    file.stop()
    now_s = 1200.0
    file = opened(path)
    file.heard("two", b"2", 100.0)
    file.stop()
    file = KeptFile(path)
    assert file.start().result(10.0) == [("two", b"2")]
    file.stop()


def test_nothing_is_kept_for_longer_though_the_clock_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now_s = tmp_path / "kept.db", 10_000.0
    monkeypatch.setattr(clock, "wall_s", lambda: now_s)
    filled(path, 1)
    now_s = 5_000.0
    file = opened(path)
    assert rows(file)[b"0"].left_s == 60.0
    file.stop()
    now_s = 10_061.0
    file = opened(path)
    assert rows(file) == {}
    file.stop()


@pytest.mark.parametrize("what", ["garbage", "version", "foreign"])
def test_a_file_that_cannot_be_used_is_begun_anew(
    what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kept.db"
    filled(path)
    if what == "garbage":
        path.write_bytes(b"no database at all" * 1000)
    else:
        with sqlite3.connect(path) as link:
            if what == "foreign":
                link.execute("DROP TABLE heard")
                link.execute("CREATE TABLE other (x)")
            link.execute("PRAGMA user_version = 9")
        link.close()
    file = opened(path)
    assert rows(file) == {}
    file.put("exact:a", b"n", lambda: b"new", 60.0)
    assert list(rows(file)) == [b"n"]
    file.stop()
    assert [it.name for it in tmp_path.iterdir()] == ["kept.db"]  # nothing of it outlives it
    assert caplog.text.count("it is begun anew") == 1


def test_a_row_that_is_damaged_or_lies_elsewhere_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    filled(path, 6)
    with sqlite3.connect(path) as link:
        link.execute("UPDATE kept SET data = x'00' WHERE name = ?", (b"0",))
        link.execute("UPDATE kept SET place = 'exact:b' WHERE name = ?", (b"1",))
        link.execute("UPDATE kept SET keep_s = 6000.0 WHERE name = ?", (b"2",))
        link.execute("UPDATE kept SET name = 'text' WHERE name = ?", (b"3",))
    link.close()
    file = opened(path)
    assert sorted(rows(file)) == [b"4", b"5"]
    assert file.damaged == 4
    file.stop()


def test_where_it_cannot_be_written_memory_goes_on_and_it_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.db"
    filled(path)
    file = opened(path)
    assert file._link is not None
    file._link.execute("PRAGMA max_page_count = 1")  # as a disk that is full
    for number in range(50):
        file.put("exact:a", b"n%d" % number, lambda: b"x" * 100_000, 60.0)
    deadline_s = time.monotonic() + 10.0
    while not file.lost and time.monotonic() < deadline_s:
        time.sleep(0.01)
    file.stop()
    assert file.lost > 0
    assert not path.exists()  # so that nothing that was to be deleted comes back
    assert caplog.text.count("in memory alone") == 1
    again = opened(path)
    assert rows(again) == {}
    again.stop()


def test_where_too_much_is_in_line_what_lay_there_is_not_kept_either(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    filled(path, 1)
    go = threading.Event()
    file = KeptFile(path, most_waiting=2)
    file.start().result(10.0)

    def slow() -> bytes:
        go.wait(10.0)
        return b"slow"

    file.put("exact:a", b"slow", slow, 60.0)
    time.sleep(0.05)
    for _ in range(3):
        file.put("exact:a", b"k", lambda: b"k", 60.0)
    file.put("exact:a", b"0", lambda: b"new", 60.0)
    assert file.lost == 2
    go.set()
    assert sorted(rows(file)) == [b"slow"]
    file.stop()


_KILLED = """
import sys, time
from pathlib import Path
from tidegate.stores.kept_file import KeptFile
file = KeptFile(Path(sys.argv[1]))
file.start().result()
for number in range(10**9):
    file.put("exact:a", b"%d" % (number % 500), lambda n=number: b"%d " % n * 50, 60.0)
    if number % 7 == 0:
        file.drop("exact:a", b"%d" % (number % 300))
    if number == 300:
        print("going", flush=True)
    time.sleep(0.0001)
"""


def test_killed_at_any_point_it_holds_what_was_put(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    for wait_s in (0.0, 0.05, 0.2):
        with subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"going\n"
            time.sleep(wait_s)
            process.kill()
        file = opened(path)
        for name, row in rows(file).items():
            number = int(row.data.split()[0])
            assert number % 500 == int(name)
            assert row.data == b"%d " % number * 50
        assert file.damaged == file.lost == 0
        file.stop()
    assert kept_file._VERSION == 1


def test_what_cannot_be_made_is_not_written_and_the_rest_is(tmp_path: Path) -> None:
    def broken() -> bytes:
        raise UnicodeEncodeError("utf-8", "x", 0, 1, "no")

    file = opened(tmp_path / "kept.db")
    file.put("exact:a", b"broken", broken, 60.0)
    file.put("exact:a", b"k", lambda: b"k", 60.0)
    assert sorted(rows(file)) == [b"k"]
    assert file.lost == 1
    file.stop()


def test_reading_ends_though_the_file_breaks_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    filled(path)
    file, go = opened(path), threading.Event()

    def slow() -> bytes:
        go.wait(10.0)
        return b"x" * 100_000

    assert file._link is not None
    file._link.execute("PRAGMA max_page_count = 1")
    file.put("exact:a", b"first", slow, 60.0)
    for number in range(50):
        file.put("exact:a", b"%d" % number, lambda: b"x" * 100_000, 60.0)
    threading.Timer(0.1, go.set).start()
    assert rows(file) == {}  # in the batch that fails
    file.stop()


def test_what_waits_is_bounded_in_bytes_and_nothing_that_was_dropped_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_file, "_MOST_BYTES", 1000)
    path, go = tmp_path / "kept.db", threading.Event()
    filled(path, 50)
    file = KeptFile(path, most_waiting=4)
    file.start().result(10.0)

    def slow() -> bytes:
        go.wait(10.0)
        return b"slow"

    file.put("exact:a", b"slow", slow, 60.0)
    time.sleep(0.05)
    file.put("exact:a", b"small", lambda: b"small", 60.0, 600)
    file.put("exact:a", b"large", lambda: b"large", 60.0, 600)
    assert file.lost == 1
    for number in range(50):  # more than a line holds
        file.drop("exact:a", b"%d" % number)
    assert file._queue.qsize() <= 8 * 4
    file.heard("id", b"", 60.0)  # not before all of that is gone
    go.set()
    while file._spilled:
        time.sleep(0.01)
    assert rows(file) == {}
    file.put("exact:a", b"again", lambda: b"again", 60.0, 600)
    assert sorted(rows(file)) == [b"again"]
    file.stop()
    again = KeptFile(path)
    assert again.start().result(10.0) == []
    again.stop()


def test_a_place_is_cleared_alone(tmp_path: Path) -> None:
    file = opened(tmp_path / "kept.db")
    for place in ("exact:a", "exact:b"):
        file.put(place, place.encode(), lambda: b"x", 60.0)
    file.clear_place("exact:a")
    assert sorted(rows(file)) == [b"exact:b"]
    file.stop()
