"""What an answer's last bytes wait for: the write, the sync, or the ledger."""

import asyncio
import errno
import os
from pathlib import Path

import pytest
from tests.gateway.journals import frame, journal, never
from tests.gateway.rig import run, until

from tidegate.core import clock, layout
from tidegate.core.plan import JournalBounds
from tidegate.gateway.journal import WAIT_S


def test_disk_waits_for_the_sync_and_store_for_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        synced: list[int] = []
        real = os.fsync
        monkeypatch.setattr(os, "fsync", lambda file: (synced.append(file), real(file))[1])
        async with journal(tmp_path / "disk", durability="disk") as it:
            ended: list[int] = []
            it.append(frame("a"), lambda: ended.append(len(synced)), never)
            await until(lambda: ended)
            assert ended[0] >= 1
        async with journal(tmp_path / "store", durability="store") as it:
            recorded: list[str] = []
            it.append(frame("a"), lambda: recorded.append("a"), never)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            size = (tmp_path / "store" / layout.segment_name(1)).stat().st_size
            it.append(frame("b"), lambda: recorded.append("b"), never)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert recorded == []
            it.recorded(1, size - 1)
            assert recorded == []
            it.recorded(1, size)
            assert recorded == ["a"]
            it.recorded(2, 0)
            assert recorded == ["a", "b"]

    run(main())


def test_a_ledger_that_never_comes_drops_the_connection(tmp_path: Path) -> None:
    async def main() -> None:
        async with journal(tmp_path, durability="store") as it:
            told: list[str] = []
            it.append(frame("a"), lambda: told.append("end"), lambda: told.append("drop"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            it.sweep(clock.monotonic_s())
            assert told == []
            it.sweep(clock.monotonic_s() + WAIT_S + 1)
            assert told == ["drop"]

    run(main())


def test_a_sync_that_fails_promises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with journal(tmp_path, durability="disk") as it:
            told: list[str] = []

            def fail(_: int) -> None:
                raise OSError(errno.EIO, "no")

            with monkeypatch.context() as broken:
                broken.setattr(os, "fsync", fail)
                it.append(frame("a"), lambda: told.append("end"), lambda: told.append("drop"))
                await until(lambda: told)
            assert told == ["drop"]
            it.append(frame("b"), lambda: told.append("end b"), never)
            await until(lambda: len(told) == 2)
            assert (told[1], it.write_errors) == ("end b", 1)

    run(main())


@pytest.mark.parametrize("before", ["process", "disk", "store"])
@pytest.mark.parametrize("after", ["process", "disk", "store"])
def test_a_plan_may_change_the_promise_while_answers_wait(
    tmp_path: Path, before: str, after: str
) -> None:
    async def main() -> None:
        async with journal(tmp_path, durability=before) as it:
            ended: list[str] = []
            it.append(frame("a"), lambda: ended.append("a"), never)
            it.bounds = JournalBounds(durability=after)  # type: ignore[arg-type]
            it.append(frame("b"), lambda: ended.append("b"), never)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if "store" in (before, after):
                it.recorded(2, 0)
            await until(lambda: sorted(ended) == ["a", "b"])

    run(main())


def test_a_segment_left_unsynced_keeps_no_promise_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with journal(tmp_path, durability="disk", segment_bytes=1) as it:
            told: list[str] = []

            def refuse(file: int) -> None:
                raise OSError(errno.EIO, "no")

            monkeypatch.setattr(os, "fsync", refuse)
            it.append(frame("a"), lambda: told.append("end"), lambda: told.append("drop"))
            await until(lambda: told)
            it.append(frame("b"), lambda: told.append("end"), lambda: told.append("drop"))
            await until(lambda: len(told) == 2)
            assert told == ["drop", "drop"]
            assert it.write_errors >= 2
            monkeypatch.undo()

    run(main())
