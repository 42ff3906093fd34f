"""flights: of requests that ask the same at once one asks, and the others wait for its answer.

Whoever waits keeps a deadline of his own. When the one that asks leaves or fails another asks in
its place; after a second failure, or an answer that is not for others, each asks for himself.
"""

import asyncio
from collections import deque
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.kept_answer import Found

# As many that ask may fail, one after the other, before all ask.
_MOST_FAILURES: Final = 2
# You ask now; or everybody does for himself.
Turn = Literal["lead", "alone"]
Waiting = asyncio.Future[Found | Turn]


class _Flight(Struct, eq=False):
    waiting: deque[Waiting]
    failures: int = 0


class Flights:
    """What is being asked, by its key. One loop."""

    def __init__(self) -> None:
        self._flights: dict[bytes, _Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: bytes) -> bool:
        return key in self._flights

    def lead(self, key: bytes) -> bool:
        """Whether nobody else asks this: the caller does then, and says how it went."""
        if key in self._flights:
            return False
        self._flights[key] = _Flight(deque())
        return True

    async def join(self, key: bytes, patience_s: float | None) -> Found | Turn:
        """The answer of the one that asks. TimeoutError once that takes too long."""
        flight = self._flights[key]
        future: Waiting = asyncio.get_running_loop().create_future()
        flight.waiting.append(future)
        try:
            async with asyncio.timeout(patience_s):
                return await future
        except BaseException:  # the turn that has come meanwhile is another's
            if future.done() and not future.cancelled() and future.result() == "lead":
                self.left(key)
            future.cancel()
            raise

    def landed(self, key: bytes, found: Found) -> None:
        """All that wait have their answer."""
        self._end(key, found)

    def left(self, key: bytes) -> None:
        """The one that asks has gone, which says nothing of the question: the next one asks."""
        flight = self._flights.get(key)
        if flight is None:
            return
        while flight.waiting:
            future = flight.waiting.popleft()
            if not future.done():
                future.set_result("lead")
                return
        del self._flights[key]

    def failed(self, key: bytes) -> None:
        """The one that asks has no answer."""
        flight = self._flights.get(key)
        if flight is None:
            return
        flight.failures += 1
        if flight.failures < _MOST_FAILURES:
            self.left(key)
        else:
            self._end(key, "alone")

    def alone(self, key: bytes) -> None:
        """Its answer is not for others."""
        self._end(key, "alone")

    def _end(self, key: bytes, result: Found | Turn) -> None:
        flight = self._flights.pop(key, None)
        while flight is not None and flight.waiting:
            future = flight.waiting.popleft()
            if not future.done():
                future.set_result(result)
