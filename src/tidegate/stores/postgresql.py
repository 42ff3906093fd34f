"""PostgreSQL's driver. It is loaded where a database is named, because it is an extra.

No step on a connection waits longer than its patience: a server that is frozen, or gone without a
word, costs that and not for ever. The connection is closed then, for nobody knows what became of
what was asked.
"""

import re
import select
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import ClientCursor
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg.types.numeric import IntLoader

from tidegate.core.secret import Secret
from tidegate.stores.errors import SessionsNotKept, StoreUnavailable

# What an address may say otherwise. The server looks after us as we look after it: a client that
# is gone, or frozen within a transaction, must not hold locks. A commit that is acknowledged is on
# its disk, whatever is set for the database: journals are deleted then.
_CONNECTING: Final[Mapping[str, str]] = {
    "application_name": "tidegate",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
# A session that has been ours before is lent to more than one connection.
_SESSION: Final = """
SELECT current_setting('tidegate.session', true),
       set_config('tidegate.session', 'taken', false),
       set_config('statement_timeout', %(statement_ms)s, false),
       set_config('idle_in_transaction_session_timeout', '30s', false),
       set_config('synchronous_commit', CASE current_setting('synchronous_commit')
           WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),
       set_config('tcp_keepalives_idle', '5', false),
       set_config('tcp_keepalives_interval', '2', false),
       set_config('tcp_keepalives_count', '3', false)
"""
_SNAPSHOTS: Final = """
SELECT set_config('default_transaction_isolation', 'repeatable read', false),
       set_config('default_transaction_read_only', 'on', false)
"""
_NAMED = re.compile(r"(?<![:\w]):(\w+)")
# Where the two differ in what a statement of ours means.
_TRUNCATED = re.compile(r"CAST\((\w+) AS INTEGER\)")
_INSTR = re.compile(r"instr\(([^,()]+), ([^,()]+)\)")


class Link(psycopg.Connection[TupleRow]):
    """A connection, no step of which waits longer than `patience_s`."""

    patience_s = 10.0

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.patience_s if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()  # what was asked is still under way, and we go
            raise psycopg.OperationalError(f"no answer for {self.patience_s:g} s") from error

    def is_stale(self) -> bool:
        """Whether the server has ended it: an idle connection has nothing to be read but that."""
        if self.closed:
            return True
        return bool(select.select([self.fileno()], [], [], 0)[0])


def _begin(link: Link) -> None:
    # A step that we have given up must not go on for long.
    values = {"statement_ms": str(int(link.patience_s * 1500))}
    session = link.execute(_SESSION, values).fetchone()
    if session is None or session[0]:
        raise SessionsNotKept(
            "the pooler before PostgreSQL lends one session to several connections, and the "
            "leader's lock is a session's own: set pool_mode = session for this database"
        )


class Postgres:
    """What the stores need of the driver. Every method raises psycopg.Error or SessionsNotKept."""

    def connect(self, url: Secret, *, patience_s: float, autocommit: bool = False) -> Link:
        """A connection whose steps wait `patience_s` at most (to connect, two seconds or that)."""
        given = conninfo_to_dict(url.reveal())
        waiting = {"connect_timeout": str(max(2, int(patience_s)))}
        link = Link.connect(
            make_conninfo("", **{**_CONNECTING, **waiting, **given}),
            autocommit=True,
            prepare_threshold=None,  # a pooler between may change the session
        )
        link.patience_s = patience_s
        try:
            _begin(link)
            link.autocommit = autocommit
        except BaseException:
            link.close()
            raise
        return link

    def where(self, url: Secret) -> dict[str, str]:
        """Host, port, user and database of an address, as far as it says them."""
        given = conninfo_to_dict(url.reveal())
        names = ("host", "port", "user", "dbname")
        return {name: str(given[name]) for name in names if given.get(name)}

    def reader(self, url: Secret, *, timeout_s: float) -> "Reader":
        """A connection for reading in snapshots. StoreUnavailable."""
        with _told():
            link = self.connect(url, patience_s=timeout_s, autocommit=True)
            link.execute(_SNAPSHOTS)
            # Statements name a value that may be NULL more than once: its type is not told.
            link.cursor_factory = ClientCursor
            link.adapters.register_loader("numeric", IntLoader)  # sums of whole numbers
            return Reader(link)


class Reader:
    """The little that is used of `sqlite3.Connection`, on PostgreSQL: same statements, same rows.

    Every method raises StoreUnavailable.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    def execute(
        self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> psycopg.Cursor[TupleRow]:
        with _told():
            return self._link.execute(_in_its_words(statement), values or None)

    @property
    def in_transaction(self) -> bool:
        return self._link.info.transaction_status != TransactionStatus.IDLE

    def is_stale(self) -> bool:
        return self._link.is_stale()

    def close(self) -> None:
        self._link.close()


def _in_its_words(statement: str) -> Any:
    """A statement of the house, which is written for SQLite, with the driver's placeholders."""
    words = _INSTR.sub(r"position(\2 in \1)", statement.replace("%", "%%"))
    words = _TRUNCATED.sub(r"CAST(trunc(\1) AS BIGINT)", words)
    return _NAMED.sub(r"%(\1)s", words.replace("?", "%s"))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise StoreUnavailable(f"PostgreSQL: {str(error).strip()}") from error


plug: Final = Postgres()
