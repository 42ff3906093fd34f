from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.record.rig import Follow, HandClock, Writer
from tests.stores import rig as stores

from tidegate.core.layout import Layout
from tidegate.record.tail import JournalTail


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


@pytest.fixture
def engine(layout: Layout) -> Iterator[Engine]:
    engine = stores.migrated(layout.ledger_db)
    yield engine
    engine.dispose()


@pytest.fixture
def journal(layout: Layout) -> Writer:
    return Writer(layout.journal_of("g0"))


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def follow() -> Iterator[Follow]:
    with ExitStack() as ending:

        def made(folder: Path, start: tuple[int, int] | None = None) -> JournalTail:
            tail = JournalTail(folder, start)
            ending.callback(tail.close)
            return tail

        yield made
