"""What is remembered of batches is bounded."""

from msgspec.structs import replace

from tidegate.gateway import batch_desk
from tidegate.gateway.batch_desk import BatchDesk, Settled, name_of
from tidegate.gateway.batch_ids import Sealed

BATCH = Sealed("batch", "b-0", b"p" * 9, "small", "chat", "k", "team-a", None)


def test_a_line_is_new_once_until_it_is_forgotten():
    settled = Settled(2)
    assert [settled.note(id) for id in "aabab"] == [True, False, True, False, False]
    assert settled.note("c")
    assert len(settled) == 2
    assert "a" not in settled  # `b` was noted after it
    assert settled.note("a")


def test_a_batch_is_looked_at_as_soon_as_anybody_wanted_it():
    desk = BatchDesk()
    for due_s in (600.0, 60.0, 900.0):
        desk.watch(BATCH, due_s)
    assert desk.watched == {name_of(BATCH): (BATCH, 60.0)}


def test_those_named_first_are_let_go(monkeypatch):
    monkeypatch.setattr(batch_desk, "MAX_WATCHED", 3)
    desk = BatchDesk()
    for number in range(5):
        desk.watch(replace(BATCH, own=f"b-{number}"), 1.0)
    assert [it.own for it, _ in desk.watched.values()] == ["b-2", "b-3", "b-4"]


def test_batches_of_two_providers_may_have_one_id():
    desk = BatchDesk()
    for place in (b"p" * 9, b"q" * 9):
        desk.watch(replace(BATCH, place=place), 1.0)
    assert len(desk.watched) == 2
