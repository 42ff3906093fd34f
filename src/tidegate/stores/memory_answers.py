"""Answers kept in one process' memory: bounded in bytes, the least recently used goes first."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final, Protocol
from weakref import WeakSet

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.cache_labels import size_of
from tidegate.core.invalidated import Invalidated
from tidegate.core.kept_answer import ENTRY_BYTES, Found, KeptAnswer

# So many that have expired are looked for with each that is put.
_SWEPT: Final = 4


class _Held(Struct, eq=False):
    """Times are monotonic seconds: the wall clock may be set while it is kept. It is known to be
    good by all that was invalidated up to `number`."""

    answer: KeptAnswer
    put_s: float
    until_s: float
    size: int
    forms: dict[tuple[bool, bool], bytes]
    number: int


class Holder(Protocol):
    """Who keeps something in a room: so much, in bytes."""

    size: int

    def give(self) -> bool:
        """Drops what was least recently used; False where there is nothing."""


class Room:
    """What all routes of a process may take together, and take, in bytes. When it is full who has
    most gives first, or what nobody asks for any more would keep all others out."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self._holders: WeakSet[Holder] = WeakSet()

    def enter(self, holder: Holder) -> None:
        self._holders.add(holder)

    def make(self, wanting: Holder) -> None:
        """As much as is wanted; of two that have the same who wants more gives."""
        while self.size > self.max_bytes:
            most = max(self._holders, key=lambda it: (it.size, it is wanting), default=None)
            if most is None or not most.give():
                return


class MemoryAnswers:
    """core.kept_answer.Answers of one route. `size` is in bytes, as far as it is known. What `log`
    says is void is neither put nor found."""

    def __init__(
        self, max_bytes: int, room: Room | None = None, log: Invalidated[int] | None = None
    ) -> None:
        self._room = room or Room(max_bytes)
        self._room.enter(self)
        self._log = Invalidated(0) if log is None else log
        self.max_bytes = max_bytes
        self.size = 0
        self.evicted = self.invalidated = 0
        self._held: OrderedDict[bytes, _Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: bytes) -> bool:
        return key in self._held

    def keys(self) -> list[bytes]:
        """Of all that is held now."""
        return list(self._held)

    async def get(self, key: bytes) -> Found | None:
        return self.look(key)

    def look(self, key: bytes) -> Found | None:
        """The same at once."""
        held = self._held.get(key)
        if held is None:
            return None
        now_s = clock.monotonic_s()
        if now_s >= held.until_s:
            self.drop(key)
            return None
        if held.number < self._log.newest and self._is_void(key, held):
            return None
        self._held.move_to_end(key)
        return Found(held.answer, now_s - held.put_s, held.forms)

    async def get_many(self, keys: Sequence[bytes]) -> list[Found | None]:
        return [self.look(key) for key in keys]

    def put(self, key: bytes, answer: KeptAnswer, keep_s: float) -> None:
        now_s = clock.monotonic_s()
        self.drop(key)
        size, log = len(answer.body) + ENTRY_BYTES + size_of(answer.labels), self._log
        if size > self.max_bytes or log.voids(answer.labels, answer.labels.number):
            return
        self._held[key] = _Held(answer, now_s, now_s + keep_s, size, {}, log.newest)
        self._take(size)
        self._make_room(now_s)

    async def put_many(self, entries: Sequence[tuple[bytes, KeptAnswer]], keep_s: float) -> None:
        for key, answer in entries:
            self.put(key, answer, keep_s)
        await asyncio.sleep(0)

    def grew(self, key: bytes, by_bytes: int) -> None:
        held = self._held.get(key)
        if held is not None:
            held.size += by_bytes
            self._take(by_bytes)
            self._make_room(clock.monotonic_s())

    async def remove(self, key: bytes) -> bool:
        there = self.look(key) is not None
        self.drop(key)
        return there

    def drop(self, key: bytes) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._take(-held.size)

    def give(self) -> bool:
        """Drops the least recently used; False where there is none."""
        if not self._held:
            return False
        self.drop(next(iter(self._held)))
        self.evicted += 1
        return True

    def sweep(self, keys: Iterable[bytes]) -> None:
        """Drops those of them that are void."""
        for key in keys:
            held = self._held.get(key)
            if held is not None:
                self._is_void(key, held)

    def clear(self) -> None:
        self._held.clear()
        self._take(-self.size)

    def bound(self, max_bytes: int) -> None:
        """Another bound from now on."""
        self.max_bytes = max_bytes
        self._make_room(clock.monotonic_s())

    def _is_void(self, key: bytes, held: _Held) -> bool:
        if self._log.voids(held.answer.labels, held.number):
            self.drop(key)
            self.invalidated += 1
            return True
        held.number = self._log.newest
        return False

    def _make_room(self, now_s: float) -> None:
        oldest = [key for key, _ in zip(self._held, range(_SWEPT), strict=False)]
        for key in oldest:
            if now_s >= self._held[key].until_s:
                self.drop(key)
        while self.size > self.max_bytes and self.give():
            pass
        self._room.make(self)

    def _take(self, more_bytes: int) -> None:
        self.size += more_bytes
        self._room.size += more_bytes
