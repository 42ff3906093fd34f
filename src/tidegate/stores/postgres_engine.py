"""An engine on PostgreSQL that keeps what the stores rely on.

As in SQLite, transactions that change something take turns, so that what they read stands until
they end: they hold one advisory lock. The ledger's own do not: recorders of several machines write
at once, and what they do is right in any order. Reading sees one snapshot.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import sqlalchemy.exc
from sqlalchemy import URL, Connection, Engine, create_engine, func, select

from tidegate.core import plugs
from tidegate.core.plugs import PlugError
from tidegate.core.secret import Secret
from tidegate.stores.errors import DriverMissing, StoreError, StoreUnavailable

PATIENCE_S: Final = 10.0
# The first number of every advisory lock of ours, "tide"; the second says which.
LOCKS: Final = 0x74696465
TURNS, LEADER = 1, 2
_MOST: Final = 8


def driver() -> Any:
    """The plug in stores/postgresql.py. DriverMissing."""
    try:
        return plugs.load("stores", "postgresql")
    except PlugError as error:
        raise DriverMissing(
            f"the driver for PostgreSQL does not load ({error}): pip install 'tidegate[postgres]'"
        ) from error


def open_engine(url: Secret, *, patience_s: float = PATIENCE_S, most: int = _MOST) -> Engine:
    """An engine on the database at `url`, of `most` connections at once. No step of it waits
    longer than `patience_s`.

    StoreUnavailable when it does not answer, SessionsNotKept, DriverMissing.
    """
    link = driver()
    engine = create_engine(
        _shown(link.where(url)),
        creator=partial(link.connect, url, patience_s=patience_s),
        hide_parameters=True,  # an error's text must not carry a receipt
        pool_pre_ping=True,
        pool_size=most // 2,
        max_overflow=most - most // 2,
        pool_timeout=patience_s,
    )
    try:
        with engine.connect(), engine.connect():
            pass  # the second meets the first one's session, where a pooler lends it to both
    except sqlalchemy.exc.DBAPIError as error:
        engine.dispose()
        raise StoreUnavailable(f"{name_of(engine)}: {str(error.orig).strip()}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def for_reading(connection: Connection) -> Connection:
    """The connection, whose next transaction sees one snapshot and changes nothing."""
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def take_turn(connection: Connection) -> None:
    """Wait, in a transaction, until nobody else is in one of this kind."""
    connection.execute(select(func.pg_advisory_xact_lock(LOCKS, TURNS)))


@contextmanager
def patient(connection: Connection, patience_s: float) -> Iterator[None]:
    """Lets the steps of this transaction take so long: a migration of a large table does."""
    link: Any = connection.connection.driver_connection
    usual_s, link.patience_s = link.patience_s, patience_s
    milliseconds = str(int(patience_s * 1000))
    connection.execute(select(func.set_config("statement_timeout", milliseconds, True)))
    try:
        yield
    finally:
        link.patience_s = usual_s


def name_of(engine: Engine) -> str:
    """The address without its password, for messages."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=True)


def _shown(where: dict[str, str]) -> URL:
    port = where.get("port", "")
    return URL.create(
        "postgresql+psycopg",
        username=where.get("user"),
        host=where.get("host"),
        port=int(port) if port.isdecimal() else None,
        database=where.get("dbname"),
    )
