"""Which of several controls leads: the one whose connection holds a lock of the database.

The lock goes with the connection, so a leader that is gone, cut off, or stands still and no longer
looks, has a successor soon. One that lost it may not know for a moment; what must not happen twice
is refused by the tables then.
"""

from typing import Final

from sqlalchemy import Connection, Engine, func, select, text

from tidegate.stores import database
from tidegate.stores.errors import StoreError
from tidegate.stores.postgres_engine import LEADER, LOCKS

_WHO = text(
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :locks AND l.objid = :leader"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

_STANDS_STILL_S: Final = 10.0
# Known to PostgreSQL 14 and newer.
_END_IF_IDLE = text(
    "SELECT set_config(name, :idle_ms, false) FROM pg_settings WHERE name = 'idle_session_timeout'"
)


class Leader:
    """Asked again and again; from one thread at a time. Without a shared database, it leads."""

    def __init__(self, engine: Engine, node: str) -> None:
        self._engine = engine
        self._node = node
        self._connection: Connection | None = None
        self.name: str | None = None

    def look(self) -> bool:
        """Whether we lead; where another does, `name` is that one's machine. StoreError."""
        if not database.is_shared(self._engine):
            return True
        try:
            with database.translated(database.path_of(self._engine)):
                return self._holds()
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Lead no longer."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _holds(self) -> bool:
        if self._connection is not None:
            self._connection.execute(select(1))
            return True
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.execute(select(func.set_config("application_name", self._node, False)))
            idle_ms = str(int(_STANDS_STILL_S * 1000))
            connection.execute(_END_IF_IDLE, {"idle_ms": idle_ms})
            held = connection.execute(select(func.pg_try_advisory_lock(LOCKS, LEADER))).scalar()
            if held:
                self._connection, self.name = connection, self._node
                return True
            self.name = connection.execute(_WHO, {"locks": LOCKS, "leader": LEADER}).scalar()
            return False
        finally:
            if self._connection is None:
                connection.invalidate()  # its name is not the pool's
                connection.close()
