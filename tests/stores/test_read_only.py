from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.read_only import ReadOnly

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = rig.migrated(path)
    yield engine
    engine.dispose()


def test_a_read_that_takes_too_long_is_given_up(engine: Engine, path: Path) -> None:
    reader = ReadOnly(path, timeout_s=0.05)
    with pytest.raises(StoreUnavailable, match="interrupted"), reader.reading() as connection:
        connection.execute(ENDLESS).fetchone()
    with reader.reading() as connection:
        assert connection.execute("SELECT count(*) FROM keys").fetchone() == (0,)
    reader.close()


def test_nothing_can_be_written(engine: Engine, path: Path) -> None:
    reader = ReadOnly(path, timeout_s=1.0)
    with pytest.raises(StoreUnavailable, match="readonly"), reader.reading() as connection:
        connection.execute("DELETE FROM keys")
    reader.close()


def test_what_was_begun_and_broken_off_is_not_gone_on_with(engine: Engine, path: Path) -> None:
    reader = ReadOnly(path, timeout_s=1.0)
    with pytest.raises(StoreUnavailable), reader.reading() as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT nonsense")
    with reader.reading() as connection:
        assert not connection.in_transaction
    reader.close()
