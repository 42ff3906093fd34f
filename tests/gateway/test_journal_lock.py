"""The lock of a journal's folder: one writer, and whoever only asks keeps nobody out."""

import fcntl
import os
from pathlib import Path

import pytest
from tests.gateway.rig import run

from tidegate.core.plan import JournalBounds
from tidegate.gateway import journal_lock as module
from tidegate.gateway.journal import Journal
from tidegate.gateway.journal_lock import LOCK_STEP_S, JournalLocked


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def test_one_that_looks_at_the_lock_for_an_instant_keeps_no_gateway_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `control.living` looks: a shared lock, given back at once."""
    looking = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(looking, fcntl.LOCK_SH)
    slept_s: list[float] = []

    def sleep(seconds: float) -> None:
        slept_s.append(seconds)
        if len(slept_s) == 3:
            os.close(looking)

    monkeypatch.setattr(module.time, "sleep", sleep)

    async def main() -> None:
        it = Journal(tmp_path, JournalBounds())
        it.open()
        await it.close()

    run(main())
    assert slept_s == [LOCK_STEP_S] * 3


def test_a_second_writer_gives_up_and_leaves_no_descriptor_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_PATIENCE_S", 0.0)

    async def main() -> None:
        first = Journal(tmp_path, JournalBounds())
        first.open()
        before = descriptors()
        with pytest.raises(JournalLocked, match="another gateway writes"):
            Journal(tmp_path, JournalBounds()).open()
        assert descriptors() == before
        await first.close()

    run(main())
