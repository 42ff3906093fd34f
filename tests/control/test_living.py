"""A gateway runs while it holds the lock of its journal."""

import asyncio
from pathlib import Path

from tidegate.control.living import running
from tidegate.gateway.journal import Journal, JournalBounds


def test_it_runs_from_taking_its_journal_until_it_gives_it_back(tmp_path: Path) -> None:
    async def run() -> None:
        assert running(tmp_path / "nowhere") == set()
        gone, here = (Journal(tmp_path / f"gateway-{n}", JournalBounds()) for n in range(2))
        gone.open()
        here.open()
        (tmp_path / "a file").touch()
        (tmp_path / "a folder").mkdir()
        assert running(tmp_path) == {"gateway-0", "gateway-1"}
        await gone.close()
        assert running(tmp_path) == {"gateway-1"}
        await here.close()

    asyncio.run(run())


def test_asking_leaves_the_lock_to_be_taken(tmp_path: Path) -> None:
    async def run() -> None:
        for _ in range(2):
            journal = Journal(tmp_path / "gateway-0", JournalBounds())
            journal.open()
            await journal.close()
            assert running(tmp_path) == set()

    asyncio.run(run())


def test_what_cannot_be_asked_is_not_gone(tmp_path: Path) -> None:
    folder = tmp_path / "gateway-0"
    folder.mkdir()
    (folder / "lock").symlink_to("lock")  # a loop: it cannot be opened
    assert running(tmp_path) == {"gateway-0"}
