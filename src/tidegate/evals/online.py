"""What looks at live answers in the background: jobs in a thread of control's process, with an
event loop of its own, while this control leads and a route declares `quality`.

Nothing of it is loaded before that: most installations never ask for it.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from tidegate.control.online import Given
from tidegate.core import plugs

LOOK_S: Final = 0.5
THREADS: Final = 2  # in which jobs ask the database
FIRST_PAUSE_S: Final = 5.0
MOST_PAUSE_S: Final = 300.0

_log = logging.getLogger(__name__)


class Job(Protocol):
    """One thing that is done again and again. All jobs share a loop: what blocks goes to a thread,
    and long computing in small pieces. A step may be cancelled at each of its awaits, when control
    ends or leads no longer."""

    async def step(self) -> float:
        """How many seconds to wait before the next. What it raises is logged by its type alone, and
        the step comes again after a pause."""

    def render(self) -> bytes:
        """Its series in Prometheus' text form; from another thread."""


class Jobs(Protocol):
    """All jobs and what they share; used as a context while this control leads."""

    jobs: Sequence[Job]

    async def __aenter__(self) -> "Jobs": ...

    async def __aexit__(self, *_: object) -> None: ...


class OnlineQuality:
    """Control's `Online`, as a thread."""

    def __init__(self, load: Callable[[Given], Jobs] | None = None) -> None:
        self._load = load
        self._jobs: Jobs | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, given: Given) -> None:
        # A daemon: if control fails while it ends, the process must not stay for this.
        self._thread = threading.Thread(
            target=self._run, args=(given,), name="online quality", daemon=True
        )
        self._thread.start()

    def render(self) -> bytes:
        return b"" if self._jobs is None else b"".join(job.render() for job in self._jobs.jobs)

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, given: Given) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stop.wait(LOOK_S):
            if not is_asked(given):
                continue
            try:
                if self._jobs is None:
                    load = self._load or plugs.load("evals", "jobs")
                    self._jobs = load(given)
                asyncio.run(self._work(given, self._jobs))
                pause_s = FIRST_PAUSE_S
            except Exception as error:  # told without what was said
                _log.error("live answers are not looked at, and wait: %s", type(error).__name__)
                self._stop.wait(pause_s)
                pause_s = min(2 * pause_s, MOST_PAUSE_S)

    async def _work(self, given: Given, all_of_them: Jobs) -> None:
        """Until control ends, leads no longer, or no route asks for it."""
        # Few, so that control's own questions never wait for a connection that these have.
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="online quality")
        asyncio.get_running_loop().set_default_executor(threads)
        async with all_of_them:
            tasks = [asyncio.create_task(repeat(job)) for job in all_of_them.jobs]
            try:
                while True:
                    await asyncio.sleep(LOOK_S)
                    if self._stop.is_set() or not is_asked(given):
                        return
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


def is_asked(given: Given) -> bool:
    """Whether this control leads, and a route of the plan declares `quality`."""
    return given.leads() and any(it.quality is not None for it in given.declared().routes.values())


async def repeat(job: Job) -> None:
    """Until cancelled; a job that fails is tried again, later each time."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            wait_s = await job.step()
            pause_s = FIRST_PAUSE_S
        except Exception as error:  # told without what was said
            name = type(job).__name__
            _log.error("%s failed and is tried again: %s", name, type(error).__name__)
            wait_s, pause_s = pause_s, min(2 * pause_s, MOST_PAUSE_S)
        await asyncio.sleep(wait_s)
