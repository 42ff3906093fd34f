"""Opening the database: durability, one writing process, and a look for damage first.

SQLite has one writing process, which holds a lock file. Writes begin with the write lock, so no
transaction ever has to be upgraded, which is where two connections of one process would deadlock.
What PostgreSQL does otherwise is in postgres_engine.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy.exc
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite

from tidegate.core import clock, plugs
from tidegate.stores import postgres_engine
from tidegate.stores.errors import (
    RowRefused,
    StoreContended,
    StoreCorrupt,
    StoreError,
    StoreUnavailable,
    WriterTaken,
)
from tidegate.stores.shared import Shared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Upsert: TypeAlias = "sqlite.Insert | postgresql.Insert"

_WRITES = {"tidegate_writes": True}
_STEPS_A_LOOK = 20_000
# What gateways must hear within five seconds is asked twice in that time.
_HASTY_S = 2.0
_LOOK_AGAIN_S = 0.01
# SQLSTATE of serialisation failures and deadlocks.
_IN_THE_WAY = ("40001", "40P01")
_SIGNS_OF_DAMAGE = ("malformed", "not a database", "Could not decode")
_WAL_PAGES = 1000
_WAL_CAP_BYTES = 64 * 1024 * 1024


def open_store(path: Path, shared: Shared | None) -> Engine:
    """An engine on the shared database, or without one on the SQLite file at `path`.

    StoreError when it cannot be opened.
    """
    return open_engine(path) if shared is None else postgres_engine.open_engine(shared.url)


def open_hasty(engine: Engine, shared: Shared | None) -> Engine:
    """For what nobody may keep waiting: connections of its own to a shared database, which are
    given up early; otherwise `engine`. StoreError."""
    if shared is None:
        return engine
    return postgres_engine.open_engine(shared.url, patience_s=_HASTY_S, most=4)


def open_engine(path: Path, *, busy_timeout_s: float = 5.0, check_s: float = 2.0) -> Engine:
    """An engine on the SQLite file at `path`, made with mode 0600 when missing.

    The file is checked for damage for at most `check_s` seconds. StoreCorrupt when it is
    damaged, StoreUnavailable when it cannot be opened.
    """
    _touch(path)
    engine = create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False},
        hide_parameters=True,  # an error's text must not carry a receipt
        pool_size=4,
        max_overflow=4,
    )
    event.listen(engine, "connect", partial(_prepare, busy_timeout_s=busy_timeout_s))
    event.listen(engine, "begin", _begin)
    try:
        with translated(path), engine.connect() as connection:
            _look_for_damage(connection, path, check_s)
    except StoreError:
        engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection with one snapshot. StoreError when the database fails."""
    with translated(path_of(engine)), engine.connect() as connection:
        reader = postgres_engine.for_reading(connection) if is_shared(engine) else connection
        with reader.begin():
            yield reader


@contextmanager
def writing(engine: Engine, *, alone: bool = True) -> Iterator[Connection]:
    """One write transaction: committed at the end, undone by an exception.

    It is the only one at a time, unless another database than SQLite is asked for less.
    """
    with translated(path_of(engine)), engine.connect() as connection:
        marked = connection.execution_options(**_WRITES)
        with marked.begin():
            if alone and is_shared(engine):
                postgres_engine.take_turn(marked)
            yield marked


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    """A write transaction of which nothing stays, for what only wants to know what it came to."""
    with suppress(_Undone), writing(engine) as connection:
        yield connection
        raise _Undone


class _Undone(Exception):
    """Ends a transaction that was never meant to stay."""


def overwrite_deleted(connection: Connection) -> None:
    """Have what SQLite deletes in this connection overwritten, not only forgotten."""
    connection.exec_driver_sql("PRAGMA secure_delete=ON")


def is_shared(on: Connection | Engine) -> bool:
    """Whether the database may be in use by other machines too."""
    return on.dialect.name == "postgresql"


def upsert(on: Connection | Engine, table: Table) -> Upsert:
    """An INSERT of that dialect which knows ON CONFLICT."""
    if is_shared(on):
        made: postgresql.Insert = plugs.load("stores", "postgresql_insert")(table)
        return made
    return sqlite.insert(table)


@contextmanager
def translated(path: Path | str) -> Iterator[None]:
    """Turns the database's errors into ours, which name the file or the address."""
    try:
        yield
    except (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.DataError) as error:
        # Without its cause: PostgreSQL repeats there what stands in the row.
        raise RowRefused(f"{path}: {_said(error.orig)}") from None
    except sqlalchemy.exc.DBAPIError as error:
        raise _ours(error.orig, path) from error
    except sqlalchemy.exc.TimeoutError as error:  # every connection of the pool is in use
        raise StoreUnavailable(f"{path}: every connection is busy") from error
    except sqlite3.Error as error:
        raise _ours(error, path) from error
    except UnicodeDecodeError as error:  # the driver cannot even read its own complaint
        raise corrupt(path, "text that is no UTF-8") from error


def _ours(error: BaseException | None, path: Path | str) -> StoreError:
    text = _said(error)
    if getattr(error, "sqlstate", None) in _IN_THE_WAY:
        return StoreContended(f"{path}: {text}")
    if any(sign in text for sign in _SIGNS_OF_DAMAGE):
        return corrupt(path, text)
    return StoreUnavailable(f"{path}: {text}")


def _said(error: BaseException | None) -> str:
    """The driver's first line: PostgreSQL's next ones repeat the values."""
    return str(error).strip().partition("\n")[0]


def corrupt(path: Path | str, finding: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{path} is damaged ({finding}): stop Tidegate, put a backup in its place (remove the "
        f"files ending in -wal and -shm too), and start again; journals keep what is not in it"
    )


class WriterClaim:
    """The right to write the database, held until closed or until the process ends."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "WriterClaim":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def claim_writer(path: Path) -> WriterClaim:
    """Become the one process that writes the database at `path`. WriterTaken when there is one."""
    lock = path.with_name(path.name + ".lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        raise WriterTaken(
            f"{path} is already written by process {holder}: stop that one first, or give this "
            f"one a state directory of its own"
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return WriterClaim(fd)


def _touch(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error


def _prepare(connection: Any, _record: object, *, busy_timeout_s: float) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says, not the driver
    _write_ahead(connection, clock.monotonic_s() + busy_timeout_s)
    for pragma in (
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
        f"PRAGMA wal_autocheckpoint={_WAL_PAGES}",
        f"PRAGMA journal_size_limit={_WAL_CAP_BYTES}",
        "PRAGMA cache_size=-8192",
    ):
        connection.execute(pragma)


def _write_ahead(connection: Any, deadline_s: float) -> None:
    """Turn on the WAL. SQLite's own busy timeout does not wait here for one who writes."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or clock.monotonic_s() > deadline_s:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tidegate_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _look_for_damage(connection: Connection, path: Path, check_s: float) -> None:
    """`quick_check` until it ends or time is up: a large ledger must not delay the start."""
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(_time_is_up(clock.monotonic_s() + check_s), _STEPS_A_LOOK)
    try:
        finding = driver.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return
    finally:
        driver.set_progress_handler(None, 0)
    if finding != "ok":
        raise corrupt(path, str(finding))


def _time_is_up(deadline_s: float) -> Callable[[], int]:
    return lambda: int(clock.monotonic_s() > deadline_s)


def path_of(engine: Engine) -> str:
    """The file or the address that the engine works on, for messages."""
    return postgres_engine.name_of(engine) if is_shared(engine) else str(engine.url.database)
