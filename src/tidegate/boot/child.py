"""One child process: started, watched, restarted with growing pauses, stopped.

Each child is given the read end of a pipe and ends when the pipe does, so that however the
supervisor dies no child is left behind. A child leads its own process group: Ctrl-C in a
terminal reaches the supervisor only, which then drains in order.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from tidegate.core import clock

EX_CONFIG: Final = 78  # sysexits.h: the child refuses to start, and starting again will not help
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0
_STEADY_AFTER_S = 10.0
_JITTER_LETTERS = "0123456789"

_log = logging.getLogger(__name__)


class Refused(Exception):
    """A child said at its first start that it cannot run; it has printed why."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f"{name} refused to start")
        self.status = status


class ChildSpec(Struct, frozen=True):
    """How to start a child. `argv` is made for the pipe's descriptor; `log` takes all output.
    `environ` is added to what `inherits` takes of ours."""

    name: str
    argv: Callable[[int], Sequence[str]]
    fds: Sequence[int] = ()
    log: Path | None = None
    environ: Mapping[str, str] = {}
    inherits: Callable[[Mapping[str, str]], dict[str, str]] = dict


def pause_s(failures_in_a_row: int, jitter: float) -> float:
    """Seconds to wait before the next start: none at first, then doubling up to a bound.

    `jitter` in 0..1 spreads the pause over its upper half, so that children do not start in step.
    """
    if failures_in_a_row <= 1:
        return 0.0
    full_s = min(_FIRST_PAUSE_S * 2.0 ** (failures_in_a_row - 2), _LONGEST_PAUSE_S)
    return full_s * (0.5 + 0.5 * jitter)


class Child:
    """Keeps one process running until it is told to stop."""

    def __init__(
        self,
        spec: ChildSpec,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        self.spec = spec
        self.starts = 0
        self._sleep = sleep
        self._now_s = now_s
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def stopping(self) -> bool:
        return self._stopping

    async def keep(self) -> None:
        """Run until `stop`. Refused when the first start says that the child cannot run at all.

        OSError when the first start fails; a later one (no process or descriptor is free for a
        while) counts as a run that failed, and what else runs goes on.
        """
        failures = 0
        while not self._stopping:
            started_s = self._now_s()
            try:
                status = await self._run_once()
                how = _how(status)
            except OSError as error:
                if self.starts == 0:
                    raise
                status, how = None, f"cannot be started ({error})"
            if self.stopping:
                return
            if status == EX_CONFIG and self.starts == 1:
                raise Refused(self.spec.name, status)
            failures = 1 if self._now_s() - started_s >= _STEADY_AFTER_S else failures + 1
            wait_s = pause_s(failures, int(clock.random_text(_JITTER_LETTERS, 3)) / 999)
            _log.warning("%s %s; restarts in %.1f s", self.spec.name, how, wait_s)
            await self._sleep(wait_s)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the child runs."""
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(number)

    async def stop(self, grace_s: float) -> None:
        """SIGTERM, then SIGKILL after `grace_s`; returns when the child is gone."""
        self._stopping = True
        self.signal(signal.SIGTERM)
        await self.gone(grace_s)

    async def gone(self, grace_s: float) -> None:
        """Wait `grace_s` for the child's end and force it then."""
        process = self._process
        if process is None:
            return
        try:
            async with asyncio.timeout(grace_s):
                await process.wait()
        except TimeoutError:
            _log.warning("%s did not end in %.0f s; killed", self.spec.name, grace_s)
            self.signal(signal.SIGKILL)
            await process.wait()

    async def _run_once(self) -> int:
        theirs, ours = os.pipe()
        try:
            self._process = await self._spawn(theirs)
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self.starts += 1
        if self._stopping:  # told to stop between the decision to start and the start
            self.signal(signal.SIGTERM)
        try:
            return await self._process.wait()
        finally:
            os.close(ours)

    async def _spawn(self, parent_fd: int) -> asyncio.subprocess.Process:
        log = None
        if self.spec.log is not None:
            log = os.open(self.spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return await asyncio.create_subprocess_exec(
                *self.spec.argv(parent_fd),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(*self.spec.fds, parent_fd),
                process_group=0,
                env={**self.spec.inherits(os.environ), **self.spec.environ},
            )
        finally:
            if log is not None:
                os.close(log)


def _how(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
