"""Vectors kept in one process' memory: bounded in bytes, the least recently used goes first.

What is kept is known here, by label; the partitions themselves know labels and numbers only. So
what is dropped, replaced or expired is not found from that moment on, whatever is being searched.
A partition of many rows is searched in a thread of its own, a small one where the question comes.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.encoding import Vector
from tidegate.core.neighbours import Neighbour
from tidegate.stores.memory_answers import Room
from tidegate.stores.vector_thread import VectorThread

# What keeping one costs beside its numbers and its question: measured, `bench vectors`.
ENTRY_BYTES: Final = 900
# A partition, beside those that are in it: measured, as most have one.
PARTITION_BYTES: Final = 1000
# So many rows are searched in less than what a thread costs.
_INLINE_ROWS: Final = 2000
PATIENCE_S: Final = 0.05
# So many that have expired are taken out at a time.
_SWEPT: Final = 256
# So many rows are taken out in one turn of the thread.
_AT_ONCE: Final = 64
# Some of those that are found may be gone by then.
_MORE: Final = 8


class Rows(Protocol):
    """What searches one partition. `size_bytes` is what it takes."""

    def __len__(self) -> int: ...

    def put(self, label: int, vector: Vector) -> bool:
        """Whether it is taken."""

    def drop(self, label: int) -> None: ...

    def nearest(self, vector: Vector, most: int) -> list[tuple[int, float]]:
        """Labels and cosines, the highest first."""

    def tidy(self) -> bool:
        """A little of what makes searching quicker. Whether there is more."""


class _Partition(Struct, eq=False):
    """`count` are those that can be found; `aside` says that only the thread touches `rows`."""

    rows: Rows
    count: int = 0
    aside: bool = False
    tidying: bool = False


class _Held(Struct, eq=False):
    """`until_s` is monotonic: the wall clock may be set while it is kept."""

    partition: bytes
    key: bytes
    question: str
    until_s: float
    size: int


class MemoryVectors:
    """core.neighbours.Vectors of one route. `make` makes a partition, `aside` is the thread, `size`
    is in bytes. `room` it shares with others."""

    def __init__(
        self,
        make: Callable[[], Rows],
        aside: VectorThread,
        max_bytes: int,
        room: Room | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._make = make
        self._aside = aside
        self._room = room or Room(max_bytes)
        self._room.enter(self)
        self._patience_s = patience_s
        self.max_bytes = max_bytes
        self.size = self.evicted = self.full = 0
        self._next_label = 0
        self._partitions: dict[bytes, _Partition] = {}
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._labels: dict[tuple[bytes, bytes], int] = {}
        self._ends: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._held)

    async def nearest(self, partition: bytes, vector: Vector, most: int) -> list[Neighbour]:
        """The nearest counts as used."""
        self._sweep(clock.monotonic_s())
        held = self._partitions.get(partition)
        if held is None or most < 1:
            return []
        if held.aside:
            found = await self._aside.ask(
                held.rows.nearest, vector, most + _MORE, patience_s=self._patience_s
            )
        else:
            found = held.rows.nearest(vector, most + _MORE)
        return self._neighbours(found or (), most)

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        self.drop(partition, key)
        size = len(vector) + len(question) + ENTRY_BYTES
        if size + PARTITION_BYTES > self.max_bytes or keep_s <= 0:
            return
        held = self._partitions.get(partition)
        if held is None:
            held = self._partitions[partition] = _Partition(self._make())
            self._take(PARTITION_BYTES)
        elif held.aside and self._aside.full:
            self.full += 1
            return
        label, now_s = self._next_label, clock.monotonic_s()
        self._next_label += 1
        self._held[label] = _Held(partition, key, question, now_s + keep_s, size)
        self._labels[partition, key] = label
        heapq.heappush(self._ends, (now_s + keep_s, label))
        held.count += 1
        self._take(size)
        self._do(held, held.rows.put, label, vector)
        held.aside = held.aside or held.count > _INLINE_ROWS
        if held.aside and not held.tidying:
            held.tidying = True
            self._aside.do(self._tidy, held)
        self._make_room(now_s)

    def holds(self, partition: bytes, key: bytes) -> bool:
        return (partition, key) in self._labels

    def dropped(self, partition: bytes, key: bytes) -> None:
        """One was taken out, or makes way for another."""

    def drop(self, partition: bytes, key: bytes) -> None:
        label = self._labels.get((partition, key))
        if label is not None:
            self._drop(label)

    def places(self) -> list[tuple[bytes, bytes]]:
        """The partition and the key of all that is held now."""
        return list(self._labels)

    def clear(self) -> None:
        """All at once, partitions whole: one after another would hold the loop."""
        for held in self._partitions.values():
            held.count = 0  # what the thread makes of it is for nobody
        self._partitions, self._held, self._labels, self._ends = {}, OrderedDict(), {}, []
        self._take(-self.size)

    def give(self) -> bool:
        """Drops the least recently used; False where there is none."""
        if not self._held:
            return False
        self._drop(next(iter(self._held)))
        self.evicted += 1
        return True

    def bound(self, max_bytes: int) -> None:
        """Another bound from now on."""
        self.max_bytes = max_bytes
        self._make_room(clock.monotonic_s())

    def _neighbours(
        self, found: "list[tuple[int, float]] | tuple[()]", most: int
    ) -> list[Neighbour]:
        now_s, neighbours = clock.monotonic_s(), list[Neighbour]()
        for label, score in found:
            it = self._held.get(label)
            if it is None or it.until_s <= now_s:
                continue
            if not neighbours:
                self._held.move_to_end(label)
            neighbours.append(Neighbour(it.key, score, it.question))
            if len(neighbours) == most:
                break
        return neighbours

    def _do(self, held: _Partition, what: Callable[..., object], *given: object) -> None:
        if held.aside:
            self._aside.do(what, *given)
        else:
            what(*given)

    def _tidy(self, held: _Partition) -> None:
        """In the thread, a little at a time, so that a search in line waits no longer than that."""
        if held.count and held.rows.tidy():
            self._aside.do(self._tidy, held)
        else:
            held.tidying = False

    def _drop(self, label: int) -> None:
        held = self._forget(label)
        if held is not None:
            self._do(held, held.rows.drop, label)

    def _forget(self, label: int) -> _Partition | None:
        """The partition that has its row still."""
        it = self._held.pop(label)
        del self._labels[it.partition, it.key]
        self.dropped(it.partition, it.key)
        self._take(-it.size)
        held = self._partitions[it.partition]
        held.count -= 1
        if held.count == 0:
            del self._partitions[it.partition]
            self._take(-PARTITION_BYTES)
            return None
        return held

    def _sweep(self, now_s: float) -> None:
        for _ in range(_SWEPT):
            if not self._ends or self._ends[0][0] > now_s:
                break
            label = heapq.heappop(self._ends)[1]
            if label in self._held:
                self._drop(label)
        if len(self._ends) > 2 * len(self._held) + _SWEPT:
            self._ends = [(it.until_s, label) for label, it in self._held.items()]
            heapq.heapify(self._ends)

    def _make_room(self, now_s: float) -> None:
        self._sweep(now_s)
        gone: dict[int, tuple[_Partition, list[int]]] = {}
        while self._held and self.size > self.max_bytes:
            label = next(iter(self._held))
            held = self._forget(label)
            self.evicted += 1
            if held is not None:
                gone.setdefault(id(held), (held, []))[1].append(label)
        for held, labels in gone.values():
            for at in range(0, len(labels), _AT_ONCE):
                self._do(held, _drop_rows, held.rows, labels[at : at + _AT_ONCE])
        self._room.make(self)

    def _take(self, more_bytes: int) -> None:
        self.size += more_bytes
        self._room.size += more_bytes


def _drop_rows(rows: Rows, labels: list[int]) -> None:
    for label in labels:
        rows.drop(label)
