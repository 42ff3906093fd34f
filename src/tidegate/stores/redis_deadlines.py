"""Deadlines of replies, in time in which this process listened.

A busy loop sends late, and hears late what was said in time. So a turn counts for no more than it
was meant to last, however long the loop stood still in it: nobody is late before the socket was
read several times. And a server that answers one after another of a crowd is not hung: while
replies keep coming, within a deadline of each other, each may take `_CROWD` deadlines.

One timer watches all replies, in their order.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from tidegate.stores.redis_wire import RedisUnavailable

_TURNS: Final = 5  # in the time of a deadline
_CROWD: Final = 2.5
LATE: Final = "Redis did not answer in time"


class Deadlines:
    """Whoever is late gets RedisUnavailable, and `on_late` is told how many are at once."""

    def __init__(self, deadline_s: float, on_late: Callable[[int], None]) -> None:
        self._turn_s = deadline_s / _TURNS
        self._overdue_s = deadline_s - self._turn_s
        self._crowd_s = (_CROWD - 1) * deadline_s
        self._on_late = on_late
        self._watched: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._listened_s = 0.0
        self._silent_from_s = 0.0
        self._turned_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: "asyncio.Future[Any]") -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if self._timer is None:
            self._turned_s = now_s
            self._timer = loop.call_later(self._turn_s, self._turn)
        since_s = self._listened_s + min(now_s - self._turned_s, self._turn_s)
        self._watched.append((since_s + self._overdue_s, future))

    def heard(self) -> None:
        """A reply has come, to whomever."""
        self._silent_from_s = self._listened_s

    def _turn(self) -> None:
        watched, late = self._watched, 0
        due_s = self._listened_s
        if due_s < self._silent_from_s + self._overdue_s:
            due_s -= self._crowd_s
        while watched and (watched[0][1].done() or watched[0][0] <= due_s):
            _, future = watched.popleft()
            if not future.done():
                future.set_exception(RedisUnavailable(LATE))
                late += 1
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        self._listened_s += min(now_s - self._turned_s, self._turn_s)
        self._turned_s = now_s
        self._timer = loop.call_later(self._turn_s, self._turn) if watched else None
        if late:
            self._on_late(late)
