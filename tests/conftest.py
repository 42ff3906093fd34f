"""Fixtures every room may use. Kept small: what one room needs alone lives in its own folder."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine
from tests.postgres import Server, serving

from tidegate.core.secret import Secret
from tidegate.stores import migrate, postgres_engine

REPOSITORY = Path(__file__).resolve().parent.parent

# Two shared cores: a slow example says nothing about the code, so examples carry no deadline and
# drawing them may take as long as it does.
PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("tests", max_examples=100, **PATIENT)
hypothesis.settings.register_profile("soak", max_examples=5_000, **PATIENT)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


def pytest_configure() -> None:
    """Bytecode is kept whatever the environment says: compiling Tidegate costs each of the hundreds
    of processes that tests start more than all else that it does."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working tree."""
    return REPOSITORY


@pytest.fixture(scope="session", autouse=True)
def bare_environment() -> None:
    """No proxy, key or setting of the machine's own reaches a test or a process it starts."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("TIDEGATE_", "OPENAI_", "PG")):
            del os.environ[name]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL for all who ask; each takes a database of its own and leaves it running."""
    with serving() as server:
        yield server


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
