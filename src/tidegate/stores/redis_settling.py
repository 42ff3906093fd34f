"""What is given back goes to Redis in batches, behind the requests, until it has arrived.

Every entry may be sent twice and counts once (redis_settle.lua), so what a broken connection left
in doubt is sent again on the next one, before anything else is. What cannot be kept any longer is
dropped and counted: its lease ends in Redis.
"""

import asyncio
from collections import deque
from typing import Final, Protocol, cast

from msgspec import Struct

from tidegate.stores.redis_epoch import Epoch
from tidegate.stores.redis_link import RedisLink
from tidegate.stores.redis_scripts import Scripts, epoch_key
from tidegate.stores.redis_wants import Want, keys_of, word, words_of
from tidegate.stores.redis_wire import SICK, RedisRefused, RedisUnavailable, Reply

FLUSH_S: Final = 0.002
_AGAIN_S: Final = 0.05
_AT_ONCE: Final = 64
_MAX_WAITING: Final = 200_000
_WORDS: Final = 15  # of an entry, beside its two keys


class Told(Protocol):
    """Who waits for an entry to arrive. `tight`: too little is left for slices."""

    def arrived(self, tight: bool) -> None: ...


class Return(Struct, eq=False):
    """So much of a hold was used, and so much is held from now on (redis_settle.lua).

    `unknown`: the hold may be missing there. `seq` 0 is for what is said of a hold once.
    """

    want: Want
    id: str
    used: int
    held: int = 0
    unknown: bool = False
    seq: int = 0
    lot: Told | None = None
    reserve: int = 0


class Settling:
    """Entries waiting, and batches on their way. `lost` counts those that were dropped."""

    def __init__(self, link: RedisLink, scripts: Scripts, epoch: Epoch) -> None:
        self._link = link
        self._script = scripts.settle
        self._epoch = epoch
        self._waiting: deque[Return] = deque()
        self._doubtful: deque[Return] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._strange: set[str | None] = set()
        self.on_the_way = 0
        self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._doubtful) + self.on_the_way

    def add(self, entry: Return) -> None:
        if len(self._waiting) >= _MAX_WAITING:
            self._lose([self._waiting.popleft()])
        self._waiting.append(entry)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._on_time)

    def again(self) -> None:
        """The epoch is new: what was held in the old one may be unknown in it."""
        for entry in (*self._doubtful, *self._waiting):
            entry.unknown = True

    def flush(self, *, opening: bool = False) -> None:
        """Sends what waits, what is in doubt first. Never raises and never waits."""
        if self._epoch.token is None or not (self._link.open or opening):
            return
        entries = [*self._doubtful, *self._waiting]
        self._doubtful.clear()
        self._waiting.clear()
        by_group: dict[str | None, list[Return]] = {}
        for entry in entries:
            by_group.setdefault(entry.want.group, []).append(entry)
        for group, some in by_group.items():
            for at in range(0, len(some), _AT_ONCE):
                self._send(group, some[at : at + _AT_ONCE])

    async def mend(self) -> None:
        """Groups whose counters had no epoch join it. Raises RedisUnavailable."""
        while self._strange:
            await self._epoch.join(self._link, self._strange.pop())
        self.flush()

    def _on_time(self) -> None:
        self._timer = None
        self.flush()
        if self._waiting:  # there is nobody to tell
            self._timer = asyncio.get_running_loop().call_later(_AGAIN_S, self._on_time)

    def _send(self, group: str | None, entries: list[Return]) -> None:
        keys, rest = [epoch_key(group, self._epoch.space)], [word(cast(str, self._epoch.token))]
        for entry in entries:
            keys.append(keys_of(entry.want, self._epoch.name))
            values: tuple[str | int, ...] = (
                entry.id,
                entry.held,
                entry.used,
                entry.seq,
                int(entry.unknown),
            )
            rest += map(word, values)
            rest.append(words_of(entry.want, entry.want.quota.lease_s, 0, entry.reserve))
        count = len(entries)
        command = self._script.by_text(
            b"".join(keys), 1 + 2 * count, b"".join(rest), 1 + _WORDS * count
        )
        try:
            future = self._link.send(command)
        except RedisUnavailable:
            self._doubtful += entries
            return
        self.on_the_way += count
        future.add_done_callback(lambda done: self._arrived(group, entries, done))

    def _lose(self, entries: list[Return]) -> None:
        self.lost += len(entries)
        for entry in entries:
            if entry.lot is not None:
                entry.lot.arrived(False)

    def _arrived(
        self, group: str | None, entries: list[Return], done: asyncio.Future[Reply]
    ) -> None:
        self.on_the_way -= len(entries)
        if done.cancelled() or done.exception() is not None:
            self._doubtful += entries
            return
        reply = done.result()
        if isinstance(reply, RedisRefused):
            if reply.kind in SICK:
                self._doubtful += entries
            else:
                self._lose(entries)
            return
        numbers = cast(list[int], reply)
        if numbers[0] < 0:
            self._strange.add(group)
            self._doubtful += entries
            return
        for entry, tight in zip(entries, numbers[1:], strict=True):
            if entry.lot is not None:
                entry.lot.arrived(bool(tight))
