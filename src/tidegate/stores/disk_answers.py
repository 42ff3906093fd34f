"""Kept answers and the vectors of their questions in memory, and in a file that outlives it.

What is in memory is what is given; the file holds no more than that, but for what was not read from
it yet.
"""

from collections.abc import Callable
from functools import partial

import msgspec
from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.encoding import Vector
from tidegate.core.invalidated import Invalidated
from tidegate.core.kept_answer import KeptAnswer, packed, unpacked
from tidegate.stores.kept_file import KeptFile, KeptRow
from tidegate.stores.memory_answers import MemoryAnswers, Room
from tidegate.stores.memory_vectors import MemoryVectors, Rows
from tidegate.stores.vector_thread import VectorThread

_Written = tuple[bytes, bytes, bytes, str]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Written).decode


class DiskAnswers(MemoryAnswers):
    """stores.memory_answers with a file. `place` names its rows."""

    def __init__(
        self, max_bytes: int, room: Room, log: Invalidated[int], file: KeptFile, place: str
    ) -> None:
        super().__init__(max_bytes, room, log)
        self._file = file
        self._place = place

    def put(self, key: bytes, answer: KeptAnswer, keep_s: float) -> None:
        super().put(key, answer, keep_s)
        if key in self._held:
            made = partial(packed, answer, key)
            self._file.put(self._place, key, made, keep_s, len(answer.body))

    def drop(self, key: bytes) -> None:
        if key in self._held:
            self._file.drop(self._place, key)
        super().drop(key)

    async def remove(self, key: bytes) -> bool:
        """What was not read from the file yet does not come back either."""
        self._file.drop(self._place, key)
        return await super().remove(key)

    def clear(self) -> None:
        self._file.clear_place(self._place)
        super().clear()

    def restore(self, row: KeptRow, is_void: Callable[[KeptAnswer], bool]) -> None:
        """Takes back what was kept before; what is damaged, void or not as new as what is there is
        deleted, or left."""
        if row.name in self._held:
            return
        answer = unpacked(row.data, row.name)
        if answer is None or is_void(answer):
            self._file.drop(self._place, row.name)
            return
        # All that was invalidated until now has been looked at.
        labels = replace(answer.labels, number=self._log.newest)
        super().put(row.name, replace(answer, labels=labels), row.left_s)
        held = self._held.get(row.name)
        if held is None:
            self._file.drop(self._place, row.name)
        else:
            held.put_s = clock.monotonic_s() - row.age_s


class DiskVectors(MemoryVectors):
    """stores.memory_vectors with a file. `place` names its rows."""

    def __init__(
        self,
        make: Callable[[], Rows],
        aside: VectorThread,
        max_bytes: int,
        room: Room,
        file: tuple[KeptFile, str],
    ) -> None:
        super().__init__(make, aside, max_bytes, room)
        self._file, self._place = file

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        super().put(partition, key, vector, question, keep_s)
        if self.holds(partition, key):
            made = partial(_encode, (partition, key, vector, question))
            self._file.put(self._place, _name(partition, key), made, keep_s)

    def clear(self) -> None:
        self._file.clear_place(self._place)
        super().clear()

    def dropped(self, partition: bytes, key: bytes) -> None:
        self._file.drop(self._place, _name(partition, key))

    def restore(self, row: KeptRow) -> None:
        """Takes back what was kept before."""
        try:
            partition, key, vector, question = _decode(row.data)
        except msgspec.DecodeError:
            self._file.drop(self._place, row.name)
            return
        if not self.holds(partition, key):
            super().put(partition, key, vector, question, row.left_s)


def _name(partition: bytes, key: bytes) -> bytes:
    return len(partition).to_bytes(2, "little") + partition + key
