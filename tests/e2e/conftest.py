from collections.abc import Iterator

import pytest
from tests.postgres import Server, serving


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of this test's own, and every process that it starts uses its database."""
    with serving() as server:
        monkeypatch.setenv("TIDEGATE_DATABASE", server.database().reveal())
        yield server
