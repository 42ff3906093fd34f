"""Captured turns wait once each, until somebody takes them."""

import pytest
from sqlalchemy import Engine
from tests.stores.said import NOON_S, captured

from tidegate.core.deletion import Deletion
from tidegate.stores import captures, database, turns
from tidegate.stores.turns import Waiting


def due(engine: Engine, before_s: float = NOON_S + 9, after: str = "", most: int = 10) -> list[str]:
    with database.reading(engine) as connection:
        return [it.receipt_id for it in turns.due(connection, before_s, after=after, most=most)]


def leave(engine: Engine, *ids: str) -> set[str]:
    with database.writing(engine) as connection:
        return turns.leave(connection, ids)


def test_what_is_captured_waits_and_leaves_once(engine: Engine) -> None:
    every = [captured(NOON_S + n, n, conversation=f"c{n % 2}") for n in range(4)]
    unknown = captured(NOON_S + 4, 4)
    for _ in range(2):  # a spool may be read again
        with database.writing(engine) as connection:
            captures.store(connection, [*every, unknown], NOON_S + 5)
    ids = [it.receipt_id for it in every]
    assert due(engine) == ids
    assert due(engine, NOON_S + 1) == ids[:2]
    assert due(engine, after=ids[1], most=1) == ids[2:3]
    with database.reading(engine) as connection:
        [first, *_] = turns.due(connection, NOON_S, most=10)
    assert first == Waiting(ids[0], "c0", "chat", NOON_S, NOON_S + 5)
    assert leave(engine, *ids[:3], "other") == set(ids[:3])
    assert leave(engine, *ids) == set(ids[3:])
    assert due(engine) == []


def test_what_came_next_is_of_the_same_conversation_and_in_time(engine: Engine) -> None:
    every = [captured(NOON_S + n, n, conversation="ab"[n % 2]) for n in range(6)]
    ids = [it.receipt_id for it in every]
    with database.writing(engine) as connection:
        captures.store(connection, every, NOON_S)
        after = captures.next_ones(connection, "a", ids[0], NOON_S + 3, most=9)
        assert [it.receipt_id for it in after] == [ids[2]]
        assert len(captures.next_ones(connection, "a", ids[0], NOON_S + 9, most=1)) == 1
        captures.remove(connection, Deletion(NOON_S + 2), NOON_S)
        assert captures.still_there(connection, ids) == set(ids[2:])


def test_what_nobody_looks_at_does_not_wait_for_ever(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_AT_ONCE", 2)
    for n in range(5):
        with database.writing(engine) as connection:
            captures.store(connection, [captured(NOON_S + n, n, conversation="c")], NOON_S + n)
    assert turns.drop_old(engine, NOON_S + turns.KEPT_S + 3) == 3
    assert len(due(engine)) == 2
