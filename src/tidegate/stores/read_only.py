"""How a gateway reads the database: read-only, and never for long.

A gateway carries no SQL toolkit and never writes SQL: SQLite is read with the standard library,
a shared database with its driver. Statements are SQLite's. Use an instance from one thread at a
time; the connection opens at the first read, so it may be made anywhere.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tidegate.core import clock, plugs
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.shared import Shared

_STEPS_A_LOOK = 1000
# After a failure nobody waits again before this has passed.
_REST_S = 0.5


class Reading(Protocol):
    """What is used of a connection: `execute` gives a cursor with its rows."""

    @property
    def in_transaction(self) -> bool: ...

    def execute(self, statement: str, values: Any = (), /) -> Any: ...

    def close(self) -> None: ...


class ReadOnly:
    """Reads the database at `place`; what is read together takes no longer than `timeout_s`, from
    a shared database no step of it.

    A file that was replaced (restored from a backup) is opened anew.
    """

    def __init__(self, place: Path | Shared, *, timeout_s: float) -> None:
        self._shared = place if isinstance(place, Shared) else None
        self._path = Path("the shared database") if isinstance(place, Shared) else place
        self._timeout_s = timeout_s
        self._connection: Reading | None = None
        self._rests_until_s = float("-inf")
        self._inode = 0
        self._deadline_s = 0.0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A connection, until the deadline. StoreUnavailable when the database is missing, locked,
        damaged, away or slow."""
        self._deadline_s = clock.monotonic_s() + self._timeout_s
        try:
            yield self._open() if self._shared is None else self._open_shared(self._shared)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnavailable(f"{self._path}: {error}") from error
        except StoreUnavailable:
            if self._shared is not None:
                self._rests_until_s = clock.monotonic_s() + _REST_S
                self.close()
            raise

    def _open_shared(self, shared: Shared) -> Reading:
        if clock.monotonic_s() < self._rests_until_s:
            raise StoreUnavailable(f"{self._path} did not answer a moment ago")
        connection: Any = self._connection
        if connection is None or connection.is_stale():
            self.close()
            driver = plugs.load("stores", "postgresql")
            connection = driver.reader(shared.url, timeout_s=self._timeout_s)
            self._connection = connection
        reading: Reading = connection
        return reading

    def _open(self) -> Reading:
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
