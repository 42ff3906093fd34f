"""LiteLLM's database as it is: whichever columns it has, whatever is not there."""

import psycopg
import pytest
from psycopg import sql
from tests.e2e.litellm_house import RECORDED
from tests.postgres import Server

from tidegate.core.secret import Secret
from tidegate.stores import litellm_tables
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.litellm_tables import TABLES, NotLitellm

pytestmark = pytest.mark.postgres


def made(postgres: Server, text: str) -> Secret:
    url = postgres.database()
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        connection.execute(text)  # type: ignore[arg-type]
    return url


def test_every_row_is_read_and_json_is_text(postgres: Server) -> None:
    url = made(postgres, RECORDED.read_text())
    found = litellm_tables.read(url)
    assert {name: len(found[name]) for name in ("keys", "teams", "users", "end_users")} == {
        "keys": 200,
        "teams": 20,
        "users": 41,
        "end_users": 4,
    }
    assert found["models"] == []
    key = found["keys"][0]
    assert isinstance(key["metadata"], str)
    assert isinstance(key["models"], list)
    again = litellm_tables.read(Secret(url.reveal() + "?schema=public&connection_limit=9"))
    assert again == found


def test_an_older_version_has_fewer_columns_and_tables(postgres: Server) -> None:
    name = TABLES["keys"]
    url = made(postgres, f'CREATE TABLE "{name}" (token text PRIMARY KEY, spend float)')
    with psycopg.connect(url.reveal(), autocommit=True) as connection:
        values = sql.SQL("INSERT INTO {} VALUES ('aa', 1.5)").format(sql.Identifier(name))
        connection.execute(values)
    found = litellm_tables.read(url)
    assert found["keys"] == [{"token": "aa", "spend": 1.5}]
    assert {name for name, rows in found.items() if rows} == {"keys"}


def test_other_tables_that_hold_anything_or_cannot_be_looked_at_are_named(
    postgres: Server,
) -> None:
    url = made(
        postgres,
        'CREATE TABLE "LiteLLM_VerificationToken" (token text PRIMARY KEY);'
        'CREATE TABLE "LiteLLM_Config" (x text); INSERT INTO "LiteLLM_Config" VALUES (1);'
        'CREATE TABLE "LiteLLM_Empty" (x text);'
        "CREATE TABLE mine (x text); INSERT INTO mine VALUES (1);",
    )
    assert litellm_tables.read(url)["others"] == [{"table": "LiteLLM_Config"}]


def test_another_database_and_one_that_is_away_are_told_apart(postgres: Server) -> None:
    with pytest.raises(NotLitellm, match="name the database of a LiteLLM proxy"):
        litellm_tables.read(postgres.database())
    with pytest.raises(StoreUnavailable):
        litellm_tables.read(Secret("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(StoreUnavailable, match="no address of a PostgreSQL"):
        litellm_tables.read(Secret("mysql://host/db?x=1"))
