"""LiteLLM's ledger in PostgreSQL, read in one snapshot that changes nothing.

Its table differs by version, so a column that is not there is unknown.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import DateTime, Text, cast, column, inspect, select, table

from tidegate.core.audit import LedgerRow
from tidegate.core.secret import Secret
from tidegate.stores import database, postgres_engine
from tidegate.stores.errors import StoreError
from tidegate.stores.litellm_spend_rows import row_of

TABLE: Final = "LiteLLM_SpendLogs"
# As LiteLLM calls them. All are read as text: a dollar as a float would lose its last digits.
COLUMNS: Final = (
    *("request_id", "litellm_call_id", "startTime", "status", "spend", "prompt_tokens"),
    *("completion_tokens", "api_key", "team_id", "user", "end_user", "model_group", "model"),
    *("custom_llm_provider", "api_base", "cache_hit"),
)
_SLICE: Final = 2_000


class NoLedger(StoreError):
    """The database has no such table."""


def read(url: Secret, since_s: float, until_s: float) -> Iterator[LedgerRow]:
    """The rows of requests that began between these wall-clock times. StoreError."""
    engine = postgres_engine.open_engine(url, most=2)
    try:
        with database.reading(engine) as connection:
            if TABLE not in inspect(connection).get_table_names():
                raise NoLedger(
                    f"{database.path_of(engine)} has no table {TABLE}: name the database of a "
                    "LiteLLM proxy, and its schema with `?options=-csearch_path%3DNAME`"
                )
            there = {it["name"] for it in inspect(connection).get_columns(TABLE)}
            names = [name for name in COLUMNS if name in there]
            began = column("startTime", DateTime)
            of = table(TABLE, *(column(name) for name in there))
            query = (
                select(*(cast(of.c[name], Text).label(name) for name in names))
                .where(began >= _naive(since_s), began <= _naive(until_s))
                .order_by(began, of.c.request_id)
                .execution_options(stream_results=True, yield_per=_SLICE)
            )
            for row in connection.execute(query):
                found = row_of(dict(row._mapping))
                if found is not None:
                    yield found
    finally:
        engine.dispose()


def _naive(at_s: float) -> datetime:
    """LiteLLM stores UTC without saying so."""
    return datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None)


plug = read
