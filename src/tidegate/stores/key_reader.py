"""What a gateway reads from the database: one key by its id, and its journal's position.

Standard library only and read-only: a gateway carries no SQL toolkit and never writes SQL. Use
an instance from one thread at a time; the connection opens at the first read, so it may be made
anywhere. Each read is its own short transaction, so it never holds up a checkpoint.
"""

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from tidegate.core import clock
from tidegate.core.key import KeyRecord
from tidegate.core.key_limits import KeyLimits
from tidegate.stores.errors import StoreUnavailable

_FIELDS = (
    "id",
    "digest",
    "pepper_version",
    "name",
    "team",
    "created_at_s",
    "routes",
    "customer",
    "environment",
    "purpose",
    "priority",
    "attributes",
    "expires_at_s",
    "revoked_at_s",
    "limits",
)
_KEY = (
    "SELECT id, digest, pepper_version, name, team, created_at_s, routes, customer, environment,"
    " purpose, priority, attributes, expires_at_s, revoked_at_s, limits FROM keys WHERE id = ?"
)
_POSITION = 'SELECT segment, "offset" FROM journal_positions WHERE gateway = ?'
_STEPS_A_LOOK = 1000

_routes = msgspec.json.Decoder(tuple[str, ...]).decode
_attributes = msgspec.json.Decoder(dict[str, str]).decode
_limits = msgspec.json.Decoder(KeyLimits).decode


class KeyReader:
    """Reads the database at `path`; no read takes longer than about `timeout_s`.

    Every method raises StoreUnavailable when the database is missing, locked, damaged or slow.
    A file that was replaced (restored from a backup) is opened anew.
    """

    def __init__(self, path: Path, *, timeout_s: float = 0.25) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._deadline_s = 0.0

    def get(self, key_id: str) -> KeyRecord | None:
        """The key of this id, revoked or not; None when there is none."""
        row = self._one(_KEY, key_id)
        if row is None:
            return None
        values = dict(zip(_FIELDS, row, strict=True))
        try:
            values["routes"] = _routes(values["routes"])
            values["attributes"] = _attributes(values["attributes"])
            values["limits"] = None if values["limits"] is None else _limits(values["limits"])
            return msgspec.convert(values, KeyRecord, strict=True)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreUnavailable(f"{self._path}: key {key_id} is unreadable") from error

    def journal_position(self, gateway: str) -> tuple[int, int] | None:
        """(segment, offset) up to which this gateway's journal is in the ledger; None: nothing."""
        row = self._one(_POSITION, gateway)
        return None if row is None else (row[0], row[1])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _one(self, query: str, argument: str) -> tuple[Any, ...] | None:
        self._deadline_s = clock.monotonic_s() + self._timeout_s
        try:
            connection = self._open()
            row: tuple[Any, ...] | None = connection.execute(query, (argument,)).fetchone()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnavailable(f"{self._path}: {error}") from error
        return row

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
