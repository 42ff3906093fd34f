"""What the feed tells, read from the store.

In threads of its own: questions that operators ask may keep every other one busy, and a revocation
must not wait for their answers.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from msgspec import Struct

from tidegate.core.feed import AnswersInvalidated, ChangesInForce, Entry, Forget, PlanPublished

# One for those who are told now, one for those who catch up.
_THREADS = 2

T = TypeVar("T")


class FeedSource(Protocol):
    """Where the feed's entries come from. Called off the loop; may raise when the store fails."""

    def newest_seq(self) -> int: ...

    def entries_after(self, seq: int) -> list[Entry] | None:
        """Entries above `seq` in order; None when some of them are no longer kept, or the store
        is an older copy that has not come to `seq` yet."""

    def current_plan(self) -> PlanPublished: ...

    def current_changes(self) -> ChangesInForce: ...

    def invalidated_lately(self) -> AnswersInvalidated: ...

    def pulse(self) -> tuple[int, int]:
        """(epoch, beat) of the loop's leadership; the beat rises while it lives."""


class News(Struct, frozen=True):
    """Entries in their order. `afresh`: they stand for everything, whatever was told before."""

    entries: list[Entry]
    afresh: bool = False


class FeedReading:
    """Each method may raise what the source raises."""

    def __init__(self, source: FeedSource) -> None:
        self._source = source
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="feed")

    async def newest_seq(self) -> int:
        return await self._read(self._source.newest_seq)

    async def after(self, seq: int) -> News:
        """What came after `seq`; 0 asks for the plan and what is in force."""
        return await self._read(lambda: self._after(seq))

    async def pulse(self) -> tuple[int, int]:
        return await self._read(self._source.pulse)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _after(self, seq: int) -> News:
        if seq == 0:
            return News(self._everything(self._source.newest_seq()))
        entries = self._source.entries_after(seq)
        if entries is not None:
            return News(entries)
        newest = self._source.newest_seq()
        return News([Entry(max(newest - 1, 0), Forget()), *self._everything(newest)], afresh=True)

    def _everything(self, newest: int) -> list[Entry]:
        """What is in force comes first: the plan is obeyed with it from its first request on."""
        in_force, invalidated = self._source.current_changes(), self._source.invalidated_lately()
        told = [Entry(max(newest - 1, 0), invalidated)] if invalidated.invalidations else []
        return [
            *told,
            Entry(max(newest - 1, 0), in_force),
            Entry(newest, self._source.current_plan()),
        ]

    async def _read(self, read: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, read)
