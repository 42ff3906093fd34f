from collections.abc import Iterator

import pytest
from tests.postgres import Server, serving

from tidegate.stores import migrate, postgres_engine


@pytest.fixture(scope="session")
def stopped() -> Iterator[Server]:
    """A server with one migrated database, to be copied."""
    with serving() as server:
        engine = postgres_engine.open_engine(server.database())
        migrate.migrate(engine)
        engine.dispose()
        server.stop()
        yield server


@pytest.fixture
def own(stopped: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of this test's own, and every process that it starts uses its database."""
    with serving(like=stopped) as server:
        monkeypatch.setenv("TIDEGATE_DATABASE", server.url("d1").reveal())
        yield server
