"""What was spent of budgets that keys bring with them comes into their shared counters: each once,
read from the ledger by whichever gateway is asked first. Reads that wait go together."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from tidegate.stores.errors import StoreError
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Want
from tidegate.stores.redis_wire import RedisUnavailable

log = logging.getLogger(__name__)

PATIENCE_S: Final = 2.0
MAX_AT_ONCE: Final = 64
MAX_WAITING: Final = 16_384

# Limits in force, each with a scope; what was spent of each: (wall clock, nano-dollars).
Amounts = Callable[[Sequence[tuple[Any, str]]], Awaitable[Sequence[Iterable[tuple[float, int]]]]]


class Asked(Struct, eq=False):
    """One counter that is to be filled. The answer is whether nothing went wrong."""

    of: tuple[Any, str]
    want: Want
    answer: "asyncio.Future[bool]"


class SharedPast:
    """Of one store."""

    def __init__(self, counters: RedisCounters, amounts: Amounts) -> None:
        self._counters = counters
        self._amounts = amounts
        self._asked: dict[tuple[str, str], Asked] = {}
        self._queue: deque[Asked] = deque()
        self._task: asyncio.Task[None] | None = None

    async def learn(self, it: Any, scope: str, want: Want) -> bool:
        """Waits until the counter knows its past, or another gateway sees to it. False when that
        cannot be read now, or not in time."""
        place = want.quota.name, scope
        asked = self._asked.get(place)
        if asked is None:
            if len(self._asked) >= MAX_WAITING:
                return False
            loop = asyncio.get_running_loop()
            asked = self._asked[place] = Asked((it, scope), want, loop.create_future())
            self._queue.append(asked)
            if self._task is None:
                self._task = loop.create_task(self._work())
        done, _ = await asyncio.wait([asked.answer], timeout=PATIENCE_S)
        return bool(done) and asked.answer.result()

    async def _work(self) -> None:
        try:
            while self._queue:
                count = min(len(self._queue), MAX_AT_ONCE)
                await self._answer([self._queue.popleft() for _ in range(count)])
        finally:
            self._task = None

    async def _answer(self, some: list[Asked]) -> None:
        known = False
        try:
            await self._fill(some)
            known = True
        except RedisUnavailable:
            known = True  # that is for whoever asks again to see
        except Exception as error:
            if not isinstance(error, StoreError | OSError):
                log.exception("reading what keys spent met something unforeseen")
            log.error("what keys spent cannot be read, their hard budgets refuse: %s", error)
        finally:
            for one in some:
                del self._asked[one.want.quota.name, one.of[1]]
                one.answer.set_result(known)

    async def _fill(self, some: list[Asked]) -> None:
        ours = [(one, nonce) for one in some if (nonce := await self._counters.begin(one.want))]
        if not ours:
            return
        amounts = await self._amounts([one.of for one, _ in ours])
        for (one, nonce), past in zip(ours, amounts, strict=True):
            await self._counters.fill(one.want, nonce, past)
