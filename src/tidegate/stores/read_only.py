"""How a gateway reads the database: standard library only, read-only, and never for long.

A gateway carries no SQL toolkit and never writes SQL. Use an instance from one thread at a time;
the connection opens at the first read, so it may be made anywhere.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.core import clock
from tidegate.stores.errors import StoreUnavailable

_STEPS_A_LOOK = 1000


class ReadOnly:
    """Reads the database at `path`; what is read together takes no longer than `timeout_s`.

    A file that was replaced (restored from a backup) is opened anew.
    """

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._deadline_s = 0.0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection, until the deadline. StoreUnavailable when the database is missing, locked,
        damaged or slow."""
        self._deadline_s = clock.monotonic_s() + self._timeout_s
        try:
            yield self._open()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnavailable(f"{self._path}: {error}") from error

    def _open(self) -> sqlite3.Connection:
        inode = self._path.stat().st_ino
        if self._connection is not None and inode == self._inode:
            return self._connection
        self.close()
        connection = sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=ro",
            uri=True,
            timeout=self._timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.set_progress_handler(self._out_of_time, _STEPS_A_LOOK)
        self._connection, self._inode = connection, inode
        return connection

    def _out_of_time(self) -> int:
        return int(clock.monotonic_s() > self._deadline_s)
