"""LiteLLM's PostgreSQL database, read in one snapshot that changes nothing.

Its tables differ by version, so columns are looked up there: a row has those that its table has.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    cast,
    func,
    inspect,
    literal_column,
    select,
    table,
)
from sqlalchemy.exc import NoSuchTableError

from tidegate.core.secret import Secret
from tidegate.stores import database, postgres_engine
from tidegate.stores.errors import StoreError, StoreUnavailable

Rows = list[dict[str, Any]]

# What is read, by the name that we call it; the first has to be there.
TABLES: Final[Mapping[str, str]] = {
    "keys": "LiteLLM_VerificationToken",
    "teams": "LiteLLM_TeamTable",
    "users": "LiteLLM_UserTable",
    "organizations": "LiteLLM_OrganizationTable",
    "projects": "LiteLLM_ProjectTable",
    "budgets": "LiteLLM_BudgetTable",
    "end_users": "LiteLLM_EndUserTable",
    "members": "LiteLLM_TeamMembership",
    "tags": "LiteLLM_TagTable",
    "models": "LiteLLM_ProxyModelTable",
    "old_keys": "LiteLLM_DeprecatedVerificationToken",
}
# Of these only how many there are is told: what they hold is encrypted, or nobody's key.
_PRISMAS: Final = frozenset(
    {
        *("connection_limit", "pool_timeout", "socket_timeout", "pgbouncer", "sslaccept"),
        *("statement_cache_size", "sslidentity", "sslpassword"),
    }
)
OTHERS: Final = "others"
_THEIRS: Final = "LiteLLM_"
_COUNTED: Final = frozenset({"models", "old_keys"})


class NotLitellm(StoreError):
    """The database has no table of LiteLLM's keys."""


def read(url: Secret) -> dict[str, Rows]:
    """Every row of those tables, by our name of them; an absent table has none. `others` are the
    names of its other tables that hold anything. StoreError."""
    engine = postgres_engine.open_engine(_plain_address(url), most=2)
    try:
        with database.reading(engine) as connection:
            there = set(inspect(connection).get_table_names())
            if TABLES["keys"] not in there:
                raise NotLitellm(
                    f"{database.path_of(engine)} has no table {TABLES['keys']}: name the database "
                    "of a LiteLLM proxy, and its schema with `?schema=NAME`"
                )
            found = {ours: _rows(connection, ours, theirs) for ours, theirs in TABLES.items()}
            others = sorted(name for name in there - {*TABLES.values()} if name.startswith(_THEIRS))
            said = [{"table": name} for name in others if _has_rows(connection, name)]
            return {**found, OTHERS: said}
    finally:
        engine.dispose()


def _plain_address(url: Secret) -> Secret:
    """An address as Prisma takes it, without what only Prisma knows. StoreUnavailable."""
    try:
        parts = urlsplit(url.reveal())
        asked = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise StoreUnavailable("that is no address of a PostgreSQL database") from error
    if parts.scheme not in ("postgresql", "postgres"):
        raise StoreUnavailable("that is no address of a PostgreSQL database: postgresql://...")
    schema = asked.pop("schema", "public")
    kept = {name: value for name, value in asked.items() if name not in _PRISMAS}
    if schema != "public":
        kept["options"] = f"-csearch_path={schema}"
    return Secret(urlunsplit(parts._replace(query=urlencode(kept, quote_via=quote))))


def _rows(connection: Connection, ours: str, theirs: str) -> Rows:
    try:
        of = Table(theirs, MetaData(), autoload_with=connection, resolve_fks=False)
    except NoSuchTableError:
        return []
    key = [*of.primary_key.columns]
    columns = [_plain(one) for one in (key if ours in _COUNTED else of.columns)]
    rows = connection.execute(select(*columns).order_by(*key))
    return [dict(row._mapping) for row in rows]


def _has_rows(connection: Connection, name: str) -> bool:
    """Also where nobody lets us look."""
    may_read = select(func.has_table_privilege(f'"{name}"', "SELECT"))
    if not connection.execute(may_read).scalar_one():
        return True
    query = select(literal_column("1", Integer)).select_from(table(name)).limit(1)
    return connection.execute(query).first() is not None


def _plain(column: "Column[Any]") -> "ColumnElement[Any]":
    """JSON as text: whoever reads it reads it strictly."""
    if isinstance(column.type, JSON):
        return cast(column, Text).label(column.name)
    return column


plug = read
