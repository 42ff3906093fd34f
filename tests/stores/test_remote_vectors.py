"""A store whose client blocks: nobody waits for it, and one that fails is left alone."""

import asyncio
import threading
from typing import Any

import pytest
from tests.stores.redis_rig import run

from tidegate.core import clock
from tidegate.core.vector_record import checksum
from tidegate.stores.remote_vectors import RemoteVectors, Row

V = b"\x00\x00\x80\x3f"
MB = 1 << 20


class Fake:
    """`fails` is what it raises, `go` lets what it is asked go on."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.closed = threading.Event()
        self.rows: list[Row] = []
        self.told: list[tuple[Any, ...]] = []

    def search(self, *given: Any) -> list[Row]:
        self.go.wait(5.0)
        if self.fails is not None:
            raise self.fails
        self.told.append(("search", *given))
        return self.rows

    def put(self, *given: Any) -> None:
        self.told.append(("put", *given))

    def drop(self, *given: Any) -> None:
        self.told.append(("drop", *given))

    def sweep(self, *given: Any) -> int:
        self.told.append(("sweep", *given))
        return 3

    def forget(self) -> None:
        """Nothing is known of it."""

    def close(self) -> None:
        self.told.append(("close",))
        self.closed.set()


def good(key: bytes, score: float) -> Row:
    return Row(key, "q", checksum(b"p", key, b"", "q"), score)


def test_it_sorts_what_is_found_and_leaves_out_what_is_damaged() -> None:
    async def main() -> None:
        fake = Fake()
        store = RemoteVectors(fake, "it", 5.0)
        fake.rows = [good(b"1", 0.5), Row(b"2", "q", b"none", 0.9), good(b"3", 0.8)]
        assert [it.key for it in await store.of("a", MB).nearest(b"p", V, 5)] == [b"3", b"1"]
        assert store.damaged == 1
        store.of("a", MB).drop(b"p", b"1")
        await store.writing.ask(lambda: None, patience_s=5.0)
        assert fake.told[-1] == ("drop", "a", b"p", b"1")
        store.stop()
        await asyncio.to_thread(fake.closed.wait, 5.0)
        assert fake.told[-1] == ("close",)

    run(main())


def test_what_fails_is_told_once_left_alone_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        now_s = 100.0
        monkeypatch.setattr(clock, "monotonic_s", lambda: now_s)
        fake = Fake()
        store = RemoteVectors(fake, "the store", 5.0)
        vectors = store.of("a", MB)
        fake.fails, fake.rows = OSError("no route"), [good(b"1", 1.0)]
        assert store.works
        assert await vectors.nearest(b"p", V, 1) == []
        assert not store.works
        now_s += 0.9
        fake.fails = None
        assert await vectors.nearest(b"p", V, 1) == []
        vectors.put(b"p", b"k", V, "q", 60.0)
        assert fake.told == []
        now_s += 0.2
        fake.fails = OSError("no route")
        assert await vectors.nearest(b"p", V, 1) == []
        now_s += 1.5  # twice as long as before
        fake.fails = None
        assert await vectors.nearest(b"p", V, 1) == []
        now_s += 0.6
        assert [it.key for it in await vectors.nearest(b"p", V, 1)] == [b"1"]
        assert store.works
        store.stop()

    run(main())
    assert caplog.text.count("no route") == 1


def test_who_is_late_finds_nothing_and_writing_waits_for_nobody() -> None:
    async def main() -> None:
        fake = Fake()
        store = RemoteVectors(fake, "it", 0.01)
        fake.go.clear()
        vectors = store.of("a", MB)
        assert await vectors.nearest(b"p", V, 1) == []
        vectors.put(b"p", b"k", V, "q", 60.0)
        await store.writing.ask(lambda: None, patience_s=5.0)
        assert [it[0] for it in fake.told] == ["put"]
        fake.go.set()
        store.stop()

    run(main())


def test_it_is_swept_once_in_so_many_that_are_put() -> None:
    async def main() -> None:
        fake = Fake()
        store = RemoteVectors(fake, "it")
        vectors = store.of("a", MB)
        for number in range(600):
            vectors.put(b"p", b"%d" % number, V, "q", 60.0)
        vectors.put(b"p", b"never", V, "q", 0.0)
        await store.writing.ask(lambda: None, patience_s=5.0)
        swept = [it for it in fake.told if it[0] == "sweep"]
        assert swept == [("sweep", "a", MB // 1209)] * 2
        assert store.evicted == 6
        store.stop()

    run(main())
