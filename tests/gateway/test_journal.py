"""The journal: written before it is promised, whole after any end, refusing when it cannot."""

import asyncio
import contextlib
import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.rig import gateway, read_journal, run, target, until
from tests.gateway.upstream import Upstream

from tidegate.core import clock, layout
from tidegate.core.plan import JournalBounds
from tidegate.core.receipt import Receipt, encode_frame
from tidegate.gateway.journal import WAIT_S, Journal, JournalLocked


def frame(name: str, size: int = 0) -> bytes:
    return encode_frame(Receipt(name, 1.0, "gateway-0", "chat", error_message="x" * size))


@contextlib.asynccontextmanager
async def journal(folder: Path, **bounds: Any) -> AsyncIterator[Journal]:
    it = Journal(folder, JournalBounds(**bounds))
    it.open()
    try:
        yield it
    finally:
        await it.close()


def segments(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.glob("*.journal"))


def never() -> None:
    raise AssertionError("given up")


def failing(times: int, number: int = errno.ENOSPC, short: int = 0) -> Any:
    """os.write that writes `short` bytes and then fails, so many times."""
    real = os.write
    left = [times]

    def write(file: int, data: Any) -> int:
        if left[0] <= 0:
            return real(file, data)
        if short and len(data) > short:
            return real(file, bytes(data)[:short])
        left[0] -= 1
        raise OSError(number, os.strerror(number))

    return write


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


@pytest.mark.parametrize("short", [0, 1, 9, 40])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("durability", ["process", "disk"])
def test_a_disk_that_refuses_holds_the_endings_and_recovers_without_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int, number: int, durability: str
) -> None:
    async def main() -> None:
        async with journal(tmp_path, durability=durability) as it:
            ended: list[str] = []
            it.append(frame("a"), lambda: ended.append("a"), never)
            await until(lambda: ended == ["a"])
            monkeypatch.setattr(os, "write", failing(2, number, short))
            it.append(frame("b"), lambda: ended.append("b"), never)
            it.append(frame("c"), lambda: ended.append("c"), never)
            await until(lambda: it.full)
            assert ended == ["a"]
            it.sweep(clock.monotonic_s())
            assert (it.full, it.write_errors) == (True, 2)
            assert [r.id for r in read_journal(tmp_path)] == ["a"]
            it.sweep(clock.monotonic_s())
            it.measure()
            await until(lambda: ended == ["a", "b", "c"])
            assert not it.full
            assert [r.id for r in read_journal(tmp_path)] == ["a", "b", "c"]

    run(main())


def test_an_answer_does_not_wait_for_ever_for_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with journal(tmp_path) as it:
            told: list[str] = []
            monkeypatch.setattr(os, "write", failing(3))
            it.append(frame("a"), lambda: told.append("end"), lambda: told.append("drop"))
            await until(lambda: it.full)
            now_s = clock.monotonic_s()
            it.sweep(now_s)
            assert told == []
            it.sweep(now_s + WAIT_S + 1)
            assert told == ["drop"]
            it.sweep(now_s + WAIT_S + 2)  # the disk takes it now: the work was done
            assert [r.id for r in read_journal(tmp_path)] == ["a"]
            assert told == ["drop"]

    run(main())


def test_the_sweeper_leaves_alone_what_is_written_this_very_turn(tmp_path: Path) -> None:
    async def main() -> None:
        async with journal(tmp_path) as it:
            told: list[str] = []
            it.append(frame("a"), lambda: told.append("end"), never)
            it.sweep(clock.monotonic_s())
            await until(lambda: told == ["end"])

    run(main())


def test_a_segment_that_cannot_be_begun_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with journal(tmp_path, segment_bytes=200) as it:
            ended: list[str] = []
            it.append(frame("a", 300), lambda: ended.append("a"), never)
            await until(lambda: ended == ["a"])
            monkeypatch.setattr(os, "write", failing(3))
            it.append(frame("b"), lambda: ended.append("b"), never)
            for _ in range(3):
                await asyncio.sleep(0)
                it.sweep(clock.monotonic_s())
            await until(lambda: ended == ["a", "b"])
            assert len(segments(tmp_path)) == 2
            assert [r.id for r in read_journal(tmp_path)] == ["a", "b"]

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


def test_a_full_journal_refuses_paid_work_and_takes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            with monkeypatch.context() as full:
                full.setattr(os, "write", failing(10**6))
                asking = asyncio.ensure_future(it.ask())
                await until(lambda: it.journal.full)
                for _ in range(20):
                    reply = await it.ask()
                    assert (reply.status, reply.code) == (503, "ledger_unavailable")
                    assert int(reply.headers["retry-after-ms"]) > 0
                assert (await it.ask("/livez", method="GET")).status == 200
                assert (await it.ask("/v1/models", method="GET")).status == 200
                ready = await it.ask("/readyz", method="GET")
                assert (ready.status, ready.code) == (503, "ledger_unavailable")
                assert len(up.exchanges) == 1
                assert not asking.done()
            it.world.sweep(clock.monotonic_s())
            it.journal.measure()
            assert (await asking).status == 200
            assert (await it.ask()).status == 200
            assert len(it.receipts()) == 2  # and none for those that were refused for want of room
            assert it.world.listener.refusals["ledger_unavailable"] == 21

    run(main())


_LIMITED = """
import asyncio, sys
from pathlib import Path
from tests.gateway.test_journal import frame, journal, never

async def main():
    async with journal(Path(sys.argv[1])) as it:
        for number in range(100):
            await asyncio.sleep(0.0005)
            it.append(frame(str(number), 500), lambda n=number: print(n, flush=True), lambda: None)
        print("full", it.full, it.write_errors > 0, flush=True)

asyncio.run(main())
"""


def test_a_real_limit_of_the_file_system_acknowledges_nothing_that_is_not_there(
    tmp_path: Path, repository: Path
) -> None:
    limit = 20_000
    out = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)],
        cwd=repository,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = out.stdout.split("\n")
    assert "full True True" in lines
    acknowledged = [line for line in lines if line.isdigit()]
    there = [r.id for r in read_journal(tmp_path)]
    assert 10 < len(there) < 100
    assert acknowledged == there


_KILLED = """
import asyncio, sys
from pathlib import Path
from tests.gateway.test_journal import frame, journal, never

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
