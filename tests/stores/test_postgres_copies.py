"""A database that is lent again is as the first was."""

from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from tests.postgres import Server
from tests.postgres_copies import Copies

pytestmark = pytest.mark.postgres

WRITE = "INSERT INTO decisions VALUES (DEFAULT, 'c', 's', 1, 1, '', NULL, '') RETURNING seq"


@pytest.fixture
def own(postgres: Server, migrated_postgres: str) -> Copies:
    return Copies(postgres, migrated_postgres)


def test_rows_and_their_numbers_begin_anew_and_nobody_is_connected(own: Copies) -> None:
    url = own.lend()
    with psycopg.connect(url.reveal(), autocommit=True) as left:
        assert left.execute(WRITE).fetchall() == [(1,)]
        left.execute("UPDATE alembic_version SET version_num = 'x'")
        own.take_back(url)
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    assert own.lend() == url
    with psycopg.connect(url.reveal(), autocommit=True) as link:
        assert link.execute("SELECT count(*) FROM decisions").fetchall() == [(0,)]
        assert link.execute(WRITE).fetchall() == [(1,)]
        assert link.execute("SELECT version_num FROM alembic_version").fetchall() != [("x",)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE decisions ADD COLUMN more integer",
        "ALTER TABLE decisions ALTER COLUMN view DROP NOT NULL",
        "DROP TABLE decisions",
        "DROP INDEX ix_decisions_at",
        "CREATE TABLE more (a integer)",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE SQL AS 'SELECT 1'",
        "ALTER DATABASE {} SET work_mem = 100",
    ],
    ids=["column", "null", "table", "index", "new", "function", "setting"],
)
def test_one_that_was_changed_is_thrown_away(own: Copies, change: LiteralString) -> None:
    url = own.lend()
    with psycopg.connect(url.reveal(), autocommit=True) as link:
        link.execute(sql.SQL(change).format(sql.Identifier(url.reveal().rpartition("/")[2])))
    own.take_back(url)
    assert own.lend() != url
