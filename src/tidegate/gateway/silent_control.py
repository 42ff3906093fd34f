"""While control says nothing, a gateway reads from the database what control would tell it.

Control may be dead or stand still, and another machine's revoke keys and cut budgets all the same.
A change is obeyed SILENCE_S + LOOK_S and one look after it was made, at the latest.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tidegate.core.feed import Entry
from tidegate.gateway.plan_feed import PlanFeed

log = logging.getLogger(__name__)

LOOK_S = 1.0
# A look is as many reads as MOST_READS.
READ_TIMEOUT_S = 0.5
MOST_READS = 4


class FeedStore(Protocol):
    """Where the feed is kept: blocking, called from one thread. Raises when it cannot be read."""

    def after(self, seq: int) -> list[Entry]: ...

    def close(self) -> None: ...


class SilentControl:
    """Looks at the store for as long as the feed is silent."""

    def __init__(self, feed: PlanFeed, store: FeedStore) -> None:
        self._feed = feed
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._reads: bool | None = None

    async def begin(self) -> None:
        """A plan from disk says nothing of the changes in force: they are looked up before the
        first request, unless control has spoken by then."""
        if self._feed.last_seq == 0:
            await self._look(quietly=True)

    async def watch(self) -> None:
        """Returns never."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._feed.is_silent():
                await self._look()
            else:
                self._reads = None

    def close(self) -> None:
        self._thread.submit(self._store.close)
        self._thread.shutdown(wait=False)

    async def _look(self, *, quietly: bool = False) -> None:
        loop = asyncio.get_running_loop()
        try:
            read = loop.run_in_executor(self._thread, self._store.after, self._feed.last_seq)
            entries = await read
        except Exception as error:  # nothing may end the looking
            if quietly:
                return
            self._say(False, "nor can the database be read; what was told last goes on: %s", error)
            return
        if not quietly:
            self._say(True, "plans, keys and changes are read from the database%s", "")
        for entry in entries:
            await self._feed.apply(entry)

    def _say(self, reads: bool, words: str, detail: object) -> None:
        if reads is not self._reads:
            log.warning("control is silent: " + words, detail)
        self._reads = reads
