"""Vectors in memory: bounded, found until they expire, whatever is being searched meanwhile."""

import asyncio

import pytest
from tests.stores.redis_rig import run
from tests.stores.vectors_made import vector

from tidegate.core import clock
from tidegate.stores import memory_vectors
from tidegate.stores.exact_vectors import Matrix
from tidegate.stores.memory_answers import Room
from tidegate.stores.memory_vectors import ENTRY_BYTES, PARTITION_BYTES, MemoryVectors
from tidegate.stores.vector_thread import VectorThread

SIZE, FIRST = ENTRY_BYTES + 16 + 1, PARTITION_BYTES
MB = 1 << 20
X, Y, BETWEEN = vector(1), vector(0, 1), vector(1, 1)


def kept(max_bytes: int = MB, room: Room | None = None) -> MemoryVectors:
    return MemoryVectors(Matrix, VectorThread(), max_bytes, room)


async def keys(store: MemoryVectors, asked: bytes = X, of: bytes = b"p") -> list[bytes]:
    return [it.key for it in await store.nearest(of, asked, 10)]


def test_the_least_recently_used_make_room() -> None:
    async def main() -> None:
        store = kept(FIRST + 3 * SIZE)
        for name, it in ((b"x", X), (b"y", Y), (b"b", BETWEEN)):
            store.put(b"p", name, it, "q", 60.0)
        assert await keys(store) == [b"x", b"b", b"y"]  # x is used by that
        store.put(b"p", b"n", Y, "q", 60.0)
        assert set(await keys(store)) == {b"x", b"b", b"n"}
        assert (store.evicted, store.size, len(store)) == (1, FIRST + 3 * SIZE, 3)
        store.bound(FIRST + SIZE)
        assert len(store) == 1
        store.put(b"p", b"long", X, "q" * 4096, 60.0)
        assert len(store) == 1
        store.clear()
        assert (store.size, await keys(store)) == (0, [])

    run(main())


def test_what_it_takes_counts_for_all_that_share_the_room() -> None:
    room = Room(2 * FIRST + 2 * SIZE)
    one, other = kept(room=room), kept(room=room)
    for name in (b"1", b"2"):
        one.put(b"p", name, X, "q", 60.0)
    other.put(b"p", b"3", X, "q", 60.0)
    assert (len(one), len(other), room.size) == (1, 1, room.max_bytes)
    other.put(b"p", b"4", X, "q", 60.0)
    assert (len(one), len(other), room.size) == (1, 1, room.max_bytes)
    one.drop(b"p", b"2")
    other.put(b"p", b"3", X, "q", 60.0)
    assert (len(one), len(other), room.size) == (0, 2, FIRST + 2 * SIZE)


def test_what_has_expired_is_not_found_and_hides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        now_s = 1000.0
        monkeypatch.setattr(clock, "monotonic_s", lambda: now_s)
        store = kept()
        for number in range(500):
            store.put(b"p", b"%d" % number, X, "q", 10.0)
        store.put(b"p", b"lasts", Y, "q", 20.0)
        store.put(b"p", b"never", X, "q", 0.0)
        now_s = 1010.0
        while len(store) > 1:
            await store.nearest(b"p", X, 1)
        assert await keys(store) == [b"lasts"]
        now_s = 1020.0
        assert await keys(store) == []
        assert store.size == 0

    run(main())


def test_replaced_over_and_over_it_takes_no_more() -> None:
    store = kept()
    for _ in range(2000):
        store.put(b"p", b"k", X, "q", 60.0)
    assert (len(store), store.size) == (1, FIRST + SIZE)
    assert len(store._ends) < 1000


def test_a_large_partition_is_searched_in_the_thread_and_what_is_dropped_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        monkeypatch.setattr(memory_vectors, "_INLINE_ROWS", 3)
        thread = VectorThread()
        store = MemoryVectors(Matrix, thread, MB, patience_s=5.0)
        for number in range(8):
            store.put(b"p", b"%d" % number, vector(8, number), "q", 60.0)
        assert await keys(store) == [b"%d" % number for number in range(8)]
        searching = asyncio.ensure_future(store.nearest(b"p", X, 10))
        await asyncio.sleep(0)
        store.drop(b"p", b"0")
        store.put(b"p", b"1", Y, "other", 60.0)
        assert [it.key for it in await searching] == [b"%d" % number for number in range(2, 8)]
        assert (await keys(store))[-1] == b"1"
        thread.stop()
        assert await keys(store) == []
        store.put(b"p", b"9", X, "q", 60.0)

    run(main())


def test_who_comes_too_late_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(memory_vectors, "_INLINE_ROWS", 0)
        thread = VectorThread()
        store = MemoryVectors(Matrix, thread, MB, patience_s=0.0)
        store.put(b"p", b"k", X, "q", 60.0)
        assert await keys(store) == []
        assert thread.late == 1
        monkeypatch.setattr("tidegate.stores.vector_thread._MOST_WAITING", 0)
        store.put(b"p", b"m", X, "q", 60.0)
        assert (store.full, len(store)) == (1, 1)
        thread.stop()

    run(main())


def test_what_is_forgotten_at_once_holds_nobody_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        monkeypatch.setattr(memory_vectors, "_INLINE_ROWS", 3)
        thread, tidied = VectorThread(), [0]
        room = Room(64 * MB)

        class Endless(Matrix):
            def tidy(self) -> bool:
                tidied[0] += 1
                return True

        store = MemoryVectors(Endless, thread, 64 * MB, room, 5.0)
        for number in range(1000):
            store.put(b"p", b"%d" % number, X, "q", 60.0)
        asked = thread._waiting
        store.clear()
        assert thread._waiting <= asked  # the rows go with the partition
        assert (len(store), store.size, room.size) == (0, 0, 0)
        assert await keys(store) == []
        await thread.ask(lambda: None, patience_s=5.0)
        done = tidied[0]
        await thread.ask(lambda: None, patience_s=5.0)
        assert tidied[0] == done  # nothing is made of what is gone
        for number in range(200):
            store.put(b"p", b"%d" % number, X, "q", 60.0)
        await thread.ask(lambda: None, patience_s=5.0)
        asked = thread._waiting
        store.bound(PARTITION_BYTES + 10 * SIZE)
        assert thread._waiting <= asked + 4
        assert len(await store.nearest(b"p", X, 20)) == 10
        store.clear()
        thread.stop()

    run(main())
