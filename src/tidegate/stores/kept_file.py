"""A file of what one gateway process keeps in memory, so that a restart does not lose it.

What is kept is there too, written behind it by one thread a batch at a time; nobody waits for that,
and where too much is in line it is not written. A kill may lose the last moments of it. Each row
has a checksum over where it lies. A file that is damaged, of another version, or that cannot be
written, is removed, so that nothing in it outlives what should have been deleted, and begun anew.
"""

import contextlib
import logging
import queue
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tidegate.core import clock

log = logging.getLogger(__name__)

_VERSION: Final = 1
_MOST_WAITING: Final = 4000
_MOST_BYTES: Final = 64 * 1024 * 1024
# Where so much is in line that the disk must hang, nothing is put in it any more: all that lies
# there is deleted when the line has ended.
_SPILLS: Final = 8
_BATCH: Final = 200
_RETRY_S: Final = 30.0
_WAIT_S: Final = 5.0
_BEGIN: Final = """
CREATE TABLE IF NOT EXISTS kept (
  place TEXT NOT NULL, name BLOB NOT NULL, data BLOB NOT NULL, crc INTEGER NOT NULL,
  put_s REAL NOT NULL, keep_s REAL NOT NULL, PRIMARY KEY (place, name));
CREATE TABLE IF NOT EXISTS heard (id TEXT PRIMARY KEY, data BLOB NOT NULL, at_s REAL NOT NULL);
"""
_PUT: Final = "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)"
_DROP: Final = "DELETE FROM kept WHERE place = ? AND name = ?"
_DROP_ROW: Final = "DELETE FROM kept WHERE rowid = ?"
_CLEAR: Final = "DELETE FROM kept"
_CLEAR_PLACE: Final = "DELETE FROM kept WHERE place = ?"
_OLD: Final = "DELETE FROM kept WHERE put_s + keep_s <= ?"
_HEARD: Final = "INSERT OR REPLACE INTO heard VALUES (?, ?, ?)"
_HEARD_OLD: Final = "DELETE FROM heard WHERE at_s < ?"
_ALL_HEARD: Final = "SELECT id, data FROM heard ORDER BY at_s, id"
_PAGE: Final = (
    "SELECT rowid, place, name, data, crc, put_s, keep_s FROM kept WHERE rowid > ?"
    " ORDER BY rowid LIMIT ?"
)

# A statement and its values, and what makes these in the thread.
Write = tuple[str, Callable[[], Sequence[Any]]]


class KeptRow(Struct, frozen=True):
    """`age_s` is how long ago it was put, `left_s` how long it is kept from now."""

    place: str
    name: bytes
    data: bytes
    age_s: float
    left_s: float


class KeptFile:
    """`lost` counts what was not written, `damaged` rows that were not what was put. Times in it
    are the wall clock's: where that was set back, nothing is kept for longer than when it was
    put."""

    def __init__(self, path: Path, most_waiting: int = _MOST_WAITING) -> None:
        self._path = path
        self._most = most_waiting
        self._queue: queue.SimpleQueue[Write | Callable[[], None] | None] = queue.SimpleQueue()
        self._link: sqlite3.Connection | None = None
        self._retry_s = 0.0
        self._told: str | None = None
        self._thread = threading.Thread(target=self._run, name="kept-file", daemon=True)
        self._put_bytes = self._made_bytes = 0
        self._spilled = self._loading = False
        self._gone: set[tuple[str, bytes]] = set()
        self.lost = self.damaged = 0

    def start(self) -> "Future[list[tuple[str, bytes]]]":
        """Opens it, in the thread; what had been heard, by id, as it was told to `heard`."""
        done: Future[list[tuple[str, bytes]]] = Future()
        self._queue.put(lambda: self._begin(done))
        self._thread.start()
        return done

    def put(
        self, place: str, name: bytes, data: Callable[[], bytes], keep_s: float, size: int = 0
    ) -> None:
        """`data` makes it in the thread, and holds so many bytes until then."""
        now_s = clock.wall_s()
        waiting_bytes = self._put_bytes - self._made_bytes
        is_full = self._queue.qsize() >= self._most or waiting_bytes + size > _MOST_BYTES
        if is_full or self._spilled:
            self.lost += 1
            self.drop(place, name)  # what lies there is older
            return
        self._put_bytes += size

        def values() -> Sequence[Any]:
            self._made_bytes += size
            made = data()
            return place, name, made, _crc(place, name, made, now_s, keep_s), now_s, float(keep_s)

        self._tell(_PUT, values)

    def drop(self, place: str, name: bytes) -> None:
        if self._loading:
            self._gone.add((place, name))
        self._tell(_DROP, lambda: (place, name))

    def is_gone(self, row: KeptRow) -> bool:
        """Whether it was dropped while it was being read."""
        return (row.place, row.name) in self._gone

    def clear_place(self, place: str) -> None:
        self._tell(_CLEAR_PLACE, lambda: (place,))

    def clear(self) -> None:
        """All that lies there now."""
        self._tell(_CLEAR, tuple)

    def heard(self, name: str, data: bytes, keep_s: float) -> None:
        """Remembers for so long that this was told; all that was dropped by it was before."""
        now_s = clock.wall_s()
        self._tell(_HEARD_OLD, lambda: (now_s - keep_s,))
        self._tell(_HEARD, lambda: (name, data, now_s))

    def load(self, heard: Callable[[list[KeptRow]], bool]) -> None:
        """`heard` is called in the thread with a page at a time, until it says that it has had
        enough, and at last with none. What is written meanwhile goes between."""
        self._loading = True
        self._queue.put(lambda: self._page(0, heard))

    def loaded(self) -> None:
        """All has been read."""
        self._loading = False
        self._gone.clear()

    def stop(self) -> None:
        """Writes what is in line."""
        self._queue.put(None)
        self._thread.join(_WAIT_S)

    def _tell(self, statement: str, values: Callable[[], Sequence[Any]]) -> None:
        if self._queue.qsize() >= _SPILLS * self._most:
            self._spilled = True
        if self._spilled:
            self.lost += 1
        else:
            self._queue.put((statement, values))

    def _begin(self, done: "Future[list[tuple[str, bytes]]]") -> None:
        told: list[tuple[str, bytes]] = []
        try:
            if self._link is not None:
                self._link.execute(_OLD, (clock.wall_s(),))
                told = [(name, bytes(data)) for name, data in self._link.execute(_ALL_HEARD)]
        finally:
            with contextlib.suppress(InvalidStateError):  # nobody waits for it any more
                done.set_result(told)

    def _run(self) -> None:
        going = True
        while going:
            first = self._queue.get()
            batch = [first]
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            going = None not in batch
            with self._safely():
                self._opened()
            self._write(batch)
        if self._link is not None:
            self._link.close()

    def _write(self, batch: Sequence[Write | Callable[[], None] | None]) -> None:
        """What is to be done beside is done whatever happens to the rest."""
        for one in batch:
            with self._safely():
                if isinstance(one, tuple):
                    self._execute(*one)
                elif one is not None:
                    one()
        with self._safely():
            if self._spilled and self._queue.empty():
                self._spilled = False  # what is told from now on comes after
                if self._link is not None:
                    self._link.execute(_CLEAR)
            if self._link is not None:
                self._link.commit()

    def _execute(self, statement: str, values: Callable[[], Sequence[Any]]) -> None:
        try:
            made = values()
        except Exception as error:
            log.error("what is kept is not written to %s: %r", self._path, error)
            self.lost += 1
            return
        if self._link is None:
            self.lost += 1
        else:
            self._link.execute(statement, made)

    def _page(self, after: int, heard: Callable[[list[KeptRow]], bool]) -> None:
        rows: list[KeptRow] = []
        found = [] if self._link is None else self._link.execute(_PAGE, (after, _BATCH)).fetchall()
        now_s = clock.wall_s()
        for number, *parts in found:
            row = _row(parts, now_s)
            if row is None:
                self.damaged += 1
                self._queue.put((_DROP_ROW, partial(tuple, (number,))))
            elif row.left_s > 0:
                rows.append(row)
        try:
            if (not rows and not found) or not heard(rows):
                heard([])
                return
        except Exception as error:
            log.error("what %s holds is not read on, and goes: %r", self._path, error)
            if self._link is not None:
                self._link.execute(_CLEAR)
            heard([])
            return
        last = found[-1][0]
        self._queue.put(lambda: self._page(last, heard))

    def _opened(self) -> sqlite3.Connection | None:
        """None until it is tried again."""
        if self._link is None and clock.monotonic_s() >= self._retry_s:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._link = self._connect()
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                log.error("%s cannot be used (%s): it is begun anew", self._path, error)
                self._remove()
                self._link = self._connect()
        return self._link

    def _connect(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)
        link = sqlite3.connect(self._path, check_same_thread=False, timeout=_WAIT_S)
        try:
            link.execute("PRAGMA journal_mode = WAL")
            link.execute("PRAGMA synchronous = NORMAL")
            link.execute("PRAGMA secure_delete = ON")
            version = link.execute("PRAGMA user_version").fetchone()[0]
            tables = link.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if version != _VERSION and tables:
                raise sqlite3.DatabaseError(f"it is of version {version}, not {_VERSION}")
            link.executescript(_BEGIN)
            link.execute("PRAGMA user_version = 1")
            if link.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("it is damaged")
        except BaseException:
            link.close()
            raise
        return link

    def _remove(self) -> None:
        for end in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _safely(self) -> Iterator[None]:
        """Memory goes on without it, whatever happens to it."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if str(error) != self._told:
                self._told = str(error)
                log.error(
                    "%s is not written, what is kept is in memory alone: %s", self._path, error
                )
            self.lost += 1
            self._retry_s = clock.monotonic_s() + _RETRY_S
            link, self._link = self._link, None
            with contextlib.suppress(sqlite3.Error, OSError):
                if link is not None:
                    link.close()
                self._remove()


def _row(parts: Sequence[Any], now_s: float) -> KeptRow | None:
    """None where it is not what was put there."""
    place, name, data, crc, put_s, keep_s = parts
    kinds = (str, bytes, bytes, int, float, float)
    if not all(isinstance(part, kind) for part, kind in zip(parts, kinds, strict=True)):
        return None
    if crc != _crc(place, name, data, put_s, keep_s):
        return None
    age_s = max(now_s - put_s, 0.0)
    return KeptRow(place, name, data, age_s, keep_s - age_s)


def _crc(place: str, name: bytes, data: bytes, put_s: float, keep_s: float) -> int:
    """Of all that a row is."""
    value = zlib.crc32(name, zlib.crc32(place.encode(), len(name)))
    return zlib.crc32(f"{put_s!r} {float(keep_s)!r}".encode(), zlib.crc32(data, value))
