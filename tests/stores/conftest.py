from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.core.secret import Secret
from tidegate.stores import database
from tidegate.stores.shared import Shared


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


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
