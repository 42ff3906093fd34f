from collections.abc import Iterator

import pytest
from tests.sdks.house import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("sdks")) as house:
        yield house
