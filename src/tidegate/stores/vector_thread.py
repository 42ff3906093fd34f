"""The thread in which what is too long for the event loop is searched, one thing after another.

Whatever touches a partition that is searched here is done here, in the order in which it was asked
for: so nothing needs a lock.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

log = logging.getLogger(__name__)

It = TypeVar("It")
_MOST_WAITING: Final = 2000


class VectorThread:
    """It is started when it is first needed. `refused` counts what found too much in line."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._guard = threading.Lock()
        self._waiting = 0
        self._stopped = False
        self.refused = self.late = 0

    @property
    def full(self) -> bool:
        return self._waiting >= _MOST_WAITING

    def do(self, what: Callable[..., object], *given: object) -> None:
        """Nobody waits for it. It is done however much is in line."""
        if not self._stopped:
            self._submit(what, *given)

    async def ask(self, what: Callable[..., It], *given: object, patience_s: float) -> It | None:
        """None where it is not done in time; it may still be done, and is thrown away."""
        if self.full or self._stopped:
            self.refused += 1
            return None
        asked = asyncio.wrap_future(self._submit(what, *given))
        try:
            async with asyncio.timeout(patience_s):
                return await asked
        except TimeoutError:
            self.late += 1
        except Exception:  # told when it was done
            self.refused += 1
        return None

    def stop(self, last: Callable[[], object] | None = None) -> None:
        """Nobody waits for what is under way. What is in line is left, unless there is something to
        be done last."""
        if last is not None:
            self.do(last)
        self._stopped = True
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=last is None)

    def _submit(self, what: Callable[..., It], *given: object) -> "Future[It]":
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="vectors")
        with self._guard:
            self._waiting += 1
        future = self._pool.submit(what, *given)
        future.add_done_callback(self._done)
        return future

    def _done(self, future: "Future[Any]") -> None:
        with self._guard:
            self._waiting -= 1
        if not future.cancelled() and (error := future.exception()) is not None:
            log.error("vectors were not searched, or not kept: %r", error)
