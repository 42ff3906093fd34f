"""One child: started, restarted with pauses, told its parent's end, stopped."""

import asyncio
import errno
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.boot.child import EX_CONFIG, Child, ChildSpec, Refused, pause_s

WAIT_FOR_EOF = "import os, sys; os.read(int(sys.argv[1]), 1)"
IGNORE_TERM = (
    "import os, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print(flush=True); os.read(int(sys.argv[1]), 1)"
)


def python(code: str) -> Callable[[int], Sequence[str]]:
    return lambda fd: [sys.executable, "-S", "-c", code, str(fd)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  (nothing tells of it)
            await asyncio.sleep(0.005)


@given(st.integers(0, 60), st.floats(0, 1))
def test_pauses_grow_to_a_bound_and_the_first_restart_is_at_once(n: int, jitter: float) -> None:
    assert pause_s(0, jitter) == pause_s(1, jitter) == 0
    assert 0 <= pause_s(n, jitter) <= 10
    assert pause_s(n + 1, 1.0) >= pause_s(n, jitter)
    if n > 1:
        assert pause_s(n, jitter) > 0


def test_a_child_that_dies_is_started_again_after_growing_pauses() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            raise asyncio.CancelledError

    async def run() -> None:
        child = Child(ChildSpec("x", python("raise SystemExit(3)")), sleep=sleep)
        with pytest.raises(asyncio.CancelledError):
            await child.keep()
        assert child.starts == 4

    asyncio.run(run())
    assert pauses[0] == 0
    assert 0.125 <= pauses[1] <= 0.25
    assert 0.25 <= pauses[2] <= 0.5
    assert 0.5 <= pauses[3] <= 1.0


def test_one_that_ran_long_enough_starts_again_at_once() -> None:
    now = iter([0.0, 1.0, 1.0, 2.0, 2.0, 50.0, 50.0, 51.0])
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    async def run() -> None:
        spec = ChildSpec("x", python("raise SystemExit(3)"))
        with pytest.raises(asyncio.CancelledError):
            await Child(spec, sleep=sleep, now_s=lambda: next(now)).keep()

    asyncio.run(run())
    assert pauses[0] == pauses[2] == 0 < pauses[1]


def test_one_that_refuses_to_start_is_not_started_again() -> None:
    async def run() -> None:
        child = Child(ChildSpec("x", python(f"raise SystemExit({EX_CONFIG})")))
        with pytest.raises(Refused) as refused:
            await child.keep()
        assert refused.value.status == EX_CONFIG
        assert child.starts == 1

    asyncio.run(run())


def test_a_later_refusal_is_tried_again(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"import os; e = os.path.exists({str(mark)!r}); open({str(mark)!r}, 'w').close();"
    code += f"raise SystemExit({EX_CONFIG} if e else 1)"
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    async def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            await Child(ChildSpec("x", python(code)), sleep=sleep).keep()

    asyncio.run(run())


def test_a_later_start_that_fails_is_a_failed_run_and_leaks_nothing(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    ran = tmp_path / "ran"
    starts = 0
    pauses: list[float] = []

    def argv(fd: int) -> list[str]:
        nonlocal starts
        starts += 1
        if starts == 2:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        if starts == 3:
            return ["/nowhere/at/all"]
        code = f"open({str(ran)!r}, 'a').write('x'); raise SystemExit(3)"
        return [*python(code)(fd)]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            raise asyncio.CancelledError

    async def run() -> None:
        child = Child(ChildSpec("x", argv), sleep=sleep)
        with pytest.raises(asyncio.CancelledError):
            await child.keep()

    asyncio.run(run())
    assert ran.read_text() == "xx"
    assert pauses[0] == 0 < pauses[1] <= pauses[2] <= pauses[3]
    assert len(list(Path("/dev/fd").iterdir())) == before


def run_beside(body: Callable[[Child, "asyncio.Task[None]"], Awaitable[None]], code: str) -> None:
    async def run() -> None:
        child = Child(ChildSpec("x", python(code)))
        keeper = asyncio.create_task(child.keep())
        await until(lambda: child.pid is not None)
        await body(child, keeper)
        assert child.pid is None

    asyncio.run(run())


def test_it_ends_on_sigterm_and_stays_ended() -> None:
    async def body(child: Child, keeper: "asyncio.Task[None]") -> None:
        await child.stop(30)
        await keeper
        assert child.starts == 1

    run_beside(body, WAIT_FOR_EOF)


def test_one_that_does_not_obey_is_killed() -> None:
    async def body(child: Child, keeper: "asyncio.Task[None]") -> None:
        await child.stop(0.01)
        await keeper

    run_beside(body, IGNORE_TERM)


def test_it_leads_a_group_of_its_own() -> None:
    async def body(child: Child, keeper: "asyncio.Task[None]") -> None:
        assert child.pid is not None
        assert os.getpgid(child.pid) == child.pid
        await child.stop(30)
        await keeper

    run_beside(body, WAIT_FOR_EOF)


def test_what_it_says_goes_to_its_log_and_descriptors_are_passed_on(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    read, write = os.pipe()
    code = f"import os; print('said', flush=True); os.write({write}, b'seen'); raise SystemExit(3)"

    async def sleep(_: float) -> None:
        raise asyncio.CancelledError

    async def run() -> None:
        spec = ChildSpec("x", python(code), (write,), log)
        with pytest.raises(asyncio.CancelledError):
            await Child(spec, sleep=sleep).keep()

    asyncio.run(run())
    os.close(write)
    assert os.read(read, 10) == b"seen"
    os.close(read)
    assert log.read_text() == "said\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_program_that_cannot_be_started_is_an_error_and_leaks_nothing() -> None:
    before = len(list(Path("/dev/fd").iterdir()))

    async def run() -> None:
        with pytest.raises(FileNotFoundError):
            await Child(ChildSpec("x", lambda fd: ["/nowhere/at/all"])).keep()

    asyncio.run(run())
    assert len(list(Path("/dev/fd").iterdir())) == before
