from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.stores import rig


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = rig.migrated(path)
    yield engine
    engine.dispose()
