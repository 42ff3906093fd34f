"""Answers and vectors that outlive their process: as old as they are, bounded as memory is."""

import queue
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.stores.redis_rig import run
from tests.stores.vectors_made import vector

from tidegate.core import clock
from tidegate.core.cache_labels import Labels, Selector
from tidegate.core.invalidated import Invalidated
from tidegate.core.kept_answer import KeptAnswer
from tidegate.stores.disk_answers import DiskAnswers, DiskVectors
from tidegate.stores.hnsw_vectors import IndexedRows
from tidegate.stores.kept_file import KeptFile, KeptRow
from tidegate.stores.memory_answers import Room
from tidegate.stores.vector_thread import VectorThread

MB = 1 << 20
X, Y = vector(1), vector(0, 1)


def answer(body: bytes = b"{}") -> KeptAnswer:
    labels = Labels(tags=("t",), number=9)
    return KeptAnswer("r", clock.wall_s(), 60.0, "t", False, body, labels=labels)


def read(file: KeptFile) -> list[KeptRow]:
    pages: queue.SimpleQueue[list[KeptRow]] = queue.SimpleQueue()
    file.load(lambda page: pages.put(page) or True)
    found: list[KeptRow] = []
    while page := pages.get(timeout=10.0):
        found += page
    return found


def begun(path: Path) -> KeptFile:
    file = KeptFile(path)
    file.start().result(10.0)
    return file


def answers(
    file: KeptFile, max_bytes: int = MB, log: Invalidated[int] | None = None
) -> DiskAnswers:
    return DiskAnswers(max_bytes, Room(MB), log or Invalidated(0), file, "exact:a")


def test_an_answer_comes_back_as_old_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr(clock, "wall_s", lambda: now_s)
    file = begun(tmp_path / "k.db")
    store = answers(file)
    for name in (b"1", b"2", b"3", b"4"):
        store.put(name, answer(name), 60.0)
    store.drop(b"1")
    file.stop()
    now_s += 20.0
    file = begun(tmp_path / "k.db")
    log = Invalidated(0)
    log.add(3, Selector(tag="other"))
    again = answers(file, log=log)
    again.put(b"3", answer(b"newer"), 60.0)
    for row in read(file):
        again.restore(row, lambda it: it.body == b"4")
    assert len(again) == 2
    assert again.look(b"1") is None
    assert again.look(b"4") is None
    back, newer = again.look(b"2"), again.look(b"3")
    assert back is not None
    assert newer is not None
    assert (back.answer.body, newer.answer.body) == (b"2", b"newer")
    assert back.age_s == pytest.approx(20.0, abs=2.0)
    assert back.answer.labels == replace(answer().labels, number=3)
    log.add(4, Selector(tag="t"))
    assert again.look(b"2") is None
    assert {row.name for row in read(file)} == {b"3"}  # not looked at yet
    file.stop()


def test_what_makes_room_in_memory_makes_it_in_the_file(tmp_path: Path) -> None:
    file = begun(tmp_path / "k.db")
    store = answers(file, 4200)
    for number in range(9):
        store.put(b"%d" % number, answer(b"x" * 300), 60.0)
    store.put(b"long", answer(b"x" * 9000), 60.0)
    assert len(store) == 3
    assert {row.name for row in read(file)} == set(store.keys())
    again = answers(file, 1400)
    for row in read(file):
        again.restore(row, lambda it: False)
    assert len(again) == 1
    assert {row.name for row in read(file)} == set(again.keys())
    again.restore(KeptRow("exact:a", b"bad", b"no answer", 0.0, 60.0), lambda it: False)
    assert again.look(b"bad") is None
    file.stop()


def test_vectors_come_back_and_those_that_were_dropped_do_not(tmp_path: Path) -> None:
    async def main() -> None:
        room, thread = Room(MB), VectorThread()
        file = begun(tmp_path / "k.db")
        store = DiskVectors(IndexedRows, thread, MB, room, (file, "vectors:a"))
        for name, it in ((b"1", X), (b"2", Y), (b"3", X)):
            store.put(b"p", name, it, "q" + name.decode(), 60.0)
        store.put(b"other", b"1", X, "other", 60.0)
        store.drop(b"p", b"3")
        file.stop()
        file = begun(tmp_path / "k.db")
        again = DiskVectors(IndexedRows, thread, MB, room, (file, "vectors:a"))
        again.put(b"p", b"2", X, "newer", 60.0)
        for row in read(file):
            again.restore(row)
        again.restore(KeptRow("vectors:a", b"bad", b"no vector", 0.0, 60.0))
        found = await again.nearest(b"p", X, 5)
        assert sorted((it.key, it.question) for it in found) == [(b"1", "q1"), (b"2", "newer")]
        assert [it.question for it in await again.nearest(b"other", X, 5)] == ["other"]
        file.stop()
        thread.stop()

    run(main())
