"""LiteLLM's ledger as its table has it, whatever version."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Column, DateTime, Float, Integer, MetaData, Table, Text, insert
from tests.postgres import Server

from tidegate.stores import postgres_engine
from tidegate.stores.litellm_spend_logs import TABLE, NoLedger, read

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def spend_logs(*, newer: bool) -> Table:
    columns: list[Column[Any]] = [
        Column("request_id", Text, primary_key=True),
        Column("startTime", DateTime),
        Column("spend", Float),
        Column("prompt_tokens", Integer),
        Column("completion_tokens", Integer),
        Column("api_key", Text),
        Column("user", Text),
        Column("messages", Text),
    ]
    if newer:
        columns.append(Column("status", Text))
    return Table(TABLE, MetaData(), *columns)


@pytest.mark.postgres
@pytest.mark.parametrize("newer", [False, True])
def test_a_table_of_any_version_is_read_in_its_span(postgres: Server, newer: bool) -> None:
    url = postgres.database()
    engine = postgres_engine.open_engine(url)
    try:
        logs = spend_logs(newer=newer)
        with pytest.raises(NoLedger, match="LiteLLM_SpendLogs"):
            list(read(url, 0, 1))
        logs.create(engine)
        values = {"spend": 0.1, "prompt_tokens": 3, "completion_tokens": 4, "user": "u"}
        if newer:
            values["status"] = "success"
        with engine.begin() as connection:
            for number, at in enumerate((AT, AT.replace(hour=9), AT.replace(hour=23))):
                row = {"request_id": str(number), "startTime": at.replace(tzinfo=None), **values}
                connection.execute(insert(logs).values(row))
        around_s = AT.timestamp()
        [found] = read(url, around_s - 60, around_s + 60)
        assert (found.id, found.at_s, found.spend_nanousd) == ("0", around_s, 100_000_000)
        assert found.succeeded is (True if newer else None)
    finally:
        engine.dispose()
