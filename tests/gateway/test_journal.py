"""The journal: written before it is promised, in order, and whole after any end."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.journals import frame, journal, never, segments
from tests.gateway.rig import read_journal, run, until

from tidegate.core import clock, layout
from tidegate.core.plan import JournalBounds
from tidegate.gateway.journal import SYNC_EVERY_S, Journal
from tidegate.gateway.journal_lock import JournalLocked


def test_what_is_ended_is_in_the_file(tmp_path: Path) -> None:
    async def main() -> None:
        async with journal(tmp_path) as it:
            ended: list[str] = []

            def end(name: str) -> None:
                assert name in [r.id for r in read_journal(tmp_path)]
                ended.append(name)

            for number in range(50):
                name = f"r{number}"
                it.append(frame(name), lambda name=name: end(name), never)
                if number % 7 == 0:
                    await asyncio.sleep(0)
            await until(lambda: len(ended) == 50)
            assert ended == [r.id for r in read_journal(tmp_path)]
            assert it.appended == 50

    run(main())


def test_receipts_of_one_turn_are_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with journal(tmp_path) as it:
            writes: list[int] = []
            real = os.write
            monkeypatch.setattr(os, "write", lambda f, d: (writes.append(len(d)), real(f, d))[1])
            ended: list[int] = []
            for number in range(100):
                it.append(frame(str(number)), lambda: ended.append(1), never)
            await until(lambda: len(ended) == 100)
            assert len(writes) == 1

    run(main())


def test_the_sweeper_leaves_alone_what_is_written_this_very_turn(tmp_path: Path) -> None:
    async def main() -> None:
        async with journal(tmp_path) as it:
            told: list[str] = []
            it.append(frame("a"), lambda: told.append("end"), never)
            it.sweep(clock.monotonic_s())
            await until(lambda: told == ["end"])

    run(main())


def test_segments_are_numbered_on_and_none_is_written_twice(tmp_path: Path) -> None:
    async def main() -> None:
        for start in range(3):
            async with journal(tmp_path, segment_bytes=300) as it:
                for number in range(5):
                    it.append(frame(f"{start}-{number}", 200), lambda: None, never)
                    await asyncio.sleep(0)
        names = segments(tmp_path)
        assert names == [layout.segment_name(n + 1) for n in range(len(names))]
        assert len(names) > 5
        ids = [r.id for r in read_journal(tmp_path)]
        assert ids == [f"{s}-{n}" for s in range(3) for n in range(5)]

    run(main())


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    async def main() -> None:
        async with journal(tmp_path):
            with pytest.raises(JournalLocked):
                Journal(tmp_path, JournalBounds()).open()
        async with journal(tmp_path):
            pass

    run(main())


def test_beyond_the_cap_it_is_full_until_the_recorder_has_taken_segments_away(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with journal(tmp_path, segment_bytes=500, max_bytes=1000) as it:
            for number in range(4):
                it.append(frame(str(number), 400), lambda: None, never)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            it.measure()
            assert it.full
            (tmp_path / layout.segment_name(1)).unlink()
            (tmp_path / layout.segment_name(2)).unlink()
            it.measure()
            assert not it.full

    run(main())


def test_one_ending_that_fails_does_not_keep_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with journal(tmp_path) as it:
            ended: list[str] = []
            it.append(frame("a"), never, never)
            it.append(frame("b"), lambda: ended.append("b"), never)
            await until(lambda: ended == ["b"])

    run(main())
    assert "could not be ended" in caplog.text


def test_what_is_written_is_told_and_so_is_what_is_not_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with journal(tmp_path) as it:
            assert await it.written(frame("a"))
            left = it.written(frame("b"))
            left.cancel()  # whoever waits may leave
            await until(lambda: len(read_journal(tmp_path)) == 2)

            def full(file: int, data: bytes) -> int:
                raise OSError(28, "no space left")

            with monkeypatch.context() as patched:
                patched.setattr(os, "write", full)
                late = it.written(frame("c"))
                await until(lambda: it.full)
                it.sweep(clock.monotonic_s())
                assert not late.done()
                it.sweep(clock.monotonic_s() + 11.0)
                assert await late is False
            it.sweep(clock.monotonic_s())
            assert [one.id for one in read_journal(tmp_path)] == ["a", "b", "c"]

    run(main())


def test_closing_in_between_leaves_no_sync_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        it = Journal(tmp_path, JournalBounds())
        it.open()
        assert await it.written(frame("a"))
        await it.close()
        await asyncio.sleep(SYNC_EVERY_S * 2)
        assert it.write_errors == 0

    run(main())
    assert "cannot be synced" not in caplog.text


@given(st.data())
def test_a_torn_tail_costs_nothing_that_was_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(0, 300), min_size=1, max_size=8))
    folder = tmp_path_factory.mktemp("torn")
    frames = [frame(str(n), size) for n, size in enumerate(sizes)]

    async def main() -> None:
        async with journal(folder) as it:
            for one in frames:
                it.append(one, lambda: None, never)

    asyncio.run(main())
    [path] = folder.glob("*.journal")
    whole = path.read_bytes()
    cut = data.draw(st.integers(4, len(whole)))
    path.write_bytes(whole[:cut])
    kept, reach = 0, 4
    for one in frames:
        reach += len(one)
        kept += reach <= cut
    assert [r.id for r in read_journal(folder)] == [str(n) for n in range(kept)]


_KILLED = """
import asyncio, sys
from pathlib import Path
from tests.gateway.journals import frame, journal, never

async def main():
    async with journal(Path(sys.argv[1]), segment_bytes=5000) as it:
        for number in range(10**9):
            name = f"{sys.argv[2]}-{number}"
            it.append(frame(name, number % 900), lambda n=name: print(n, flush=True), never)
            if number % 3 == 0:
                await asyncio.sleep(0)

asyncio.run(main())
"""


def test_a_killed_writer_has_lost_nothing_that_it_acknowledged(
    tmp_path: Path, repository: Path
) -> None:
    acknowledged: list[str] = []
    for start in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(tmp_path), str(start)],
            cwd=repository,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            for _ in range(40 * start + 3):
                acknowledged.append(writer.stdout.readline().strip())
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split("\n")[:-1]
            acknowledged += rest
    there = [r.id for r in read_journal(tmp_path)]
    assert len(set(there)) == len(there)
    assert set(acknowledged) <= set(there)


def test_an_emptied_folder_uses_no_number_twice(tmp_path: Path) -> None:
    async def main() -> None:
        it = Journal(tmp_path, JournalBounds())
        it.open(recorded=(7, 6456))
        try:
            assert segments(tmp_path) == ["000000000008.journal"]
        finally:
            await it.close()

    run(main())
