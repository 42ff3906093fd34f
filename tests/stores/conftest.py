from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.postgres import Server
from tests.stores import rig

from tidegate.core.secret import Secret
from tidegate.stores import database, migrate, postgres_engine
from tidegate.stores.shared import Shared


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> str:
    """The name of a migrated database, to be copied."""
    url = postgres.database()
    engine = postgres_engine.open_engine(url)
    migrate.migrate(engine)
    engine.dispose()
    return url.reveal().rpartition("/")[2]


@pytest.fixture
def shared(postgres: Server, migrated_postgres: str) -> Iterator[Secret]:
    """The address of a migrated database in PostgreSQL."""
    url = postgres.database(migrated_postgres)
    yield url
    postgres.drop(url)


@pytest.fixture
def shared_engine(shared: Secret) -> Iterator[Engine]:
    engine = postgres_engine.open_engine(shared)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(path: Path) -> Iterator[Engine]:
    engine = rig.migrated(path)
    yield engine
    engine.dispose()


@pytest.fixture(
    params=["sqlite_engine", pytest.param("shared_engine", marks=pytest.mark.postgres)],
    ids=["sqlite", "postgresql"],
)
def engine(request: pytest.FixtureRequest) -> Engine:
    """A migrated database of each kind."""
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def place(engine: Engine, request: pytest.FixtureRequest, path: Path) -> Path | Shared:
    """Where a gateway reads what is written to `engine`."""
    if not database.is_shared(engine):
        return path
    url: Secret = request.getfixturevalue("shared")
    return Shared(url, "")
