"""A disk that refuses: nothing is promised that is not there, and nothing needs a restart."""

import asyncio
import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.journals import failing, frame, journal, never, segments
from tests.gateway.rig import gateway, read_journal, run, target, until
from tests.gateway.upstream import Upstream

from tidegate.core import clock
from tidegate.gateway.journal import WAIT_S
from tidegate.record.tail import JournalTail


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


def test_a_journal_that_was_full_has_room_as_soon_as_all_of_it_is_recorded(tmp_path: Path) -> None:
    """Also where one segment is as large as all of it may be: the recorder deletes finished ones,
    and a gateway that takes no work would never finish this one."""

    async def main() -> None:
        async with journal(tmp_path, segment_bytes=4000, max_bytes=4000) as it:
            tail = JournalTail(tmp_path)
            count = 0
            while not it.full:
                it.append(frame(str(count), 200), lambda: None, never)
                count += 1
                await asyncio.sleep(0)
                it.measure()
            taken = []
            while entries := tail.take(100):
                taken += entries
            tail.drop_committed(tail.segment)
            it.measure()
            assert not it.full
            assert len(taken) == count
            tail.close()

    run(main())


_LIMITED = """
import asyncio, sys
from pathlib import Path
from tests.gateway.journals import frame, journal, never

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
