"""The feed's entries out of the store."""

import pytest
from sqlalchemy import Connection, Engine
from tests.control.conftest import Room
from tests.stores.changed import NOON_S, change, leased

from tidegate.control import feed_log
from tidegate.control.publication import Publication
from tidegate.core import clock
from tidegate.core.feed import ChangesInForce, InForce, KeyChanged, PlanPublished
from tidegate.stores import audit, changes, database, feed, leadership


def keys_changed(engine: Engine, count: int) -> None:
    with database.writing(engine) as connection:
        keys_changed_in(connection, count)


def keys_changed_in(connection: Connection, count: int) -> None:
    for number in range(count):
        feed.append_key(connection, f"key{number:05d}", 1.0)


def test_keys_are_named_in_order_and_only_the_newest_plan_is_sent(
    room: Room, engine: Engine
) -> None:
    start = room.log.newest_seq()
    room.log.announce_plan(7)
    keys_changed(engine, 2)
    room.log.announce_plan(8)
    keys_changed(engine, 1)
    entries = room.log.entries_after(start)
    assert entries is not None
    assert [entry.seq for entry in entries] == [start + n for n in (2, 3, 4, 5)]
    kinds = [type(entry.body) for entry in entries]
    assert kinds == [KeyChanged, KeyChanged, PlanPublished, KeyChanged]
    assert room.log.newest_plan_version() == 8
    assert room.log.entries_after(room.log.newest_seq()) == []


def test_of_changes_what_is_in_force_now_is_sent_once(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "wall_s", lambda: NOON_S + 100)
    start = room.log.newest_seq()
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        changes.hold(connection, change("c1"))
        keys_changed_in(connection, 1)
        changes.hold(connection, leased("c2"))
    entries = room.log.entries_after(start)
    assert entries is not None
    told = ChangesInForce(
        1,
        (
            InForce("c1", "target_off", "small", 1.0, 500.0),
            InForce("c2", "release_weight", "chat", 0.05, 0.0, 60.0),
        ),
    )
    assert [(entry.seq - start, entry.body) for entry in entries] == [
        (2, KeyChanged("key00000")),
        (3, told),
    ]
    assert room.log.pulse() == (1, 0)


def test_what_is_no_longer_kept_cannot_be_told(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_log, "KEPT_ENTRIES", 3)
    keys_changed(engine, 10)
    assert room.log.trim() == 8
    newest = room.log.newest_seq()
    assert room.log.entries_after(newest - 3) is None
    kept = room.log.entries_after(newest - 2)
    assert kept is not None
    assert len(kept) == 2


def test_a_number_that_an_older_copy_of_the_store_does_not_have_is_none_of_its(
    room: Room, engine: Engine
) -> None:
    keys_changed(engine, 2)
    newest = room.log.newest_seq()
    assert room.log.entries_after(newest) == []
    assert room.log.entries_after(newest + 1) is None


def test_many_pages_are_told_and_too_many_are_not(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = room.log.newest_seq()
    keys_changed(engine, 2500)
    entries = room.log.entries_after(start)
    assert entries is not None
    assert [entry.seq for entry in entries] == list(range(start + 1, start + 2501))
    monkeypatch.setattr(feed_log, "_MOST_REPLAYED", 2000)
    assert room.log.entries_after(start) is None


def test_who_published_a_plan_is_kept_once(room: Room, engine: Engine) -> None:
    told = Publication(7, "ada", "routes chat")
    for _ in range(2):  # once more, after a kill
        room.log.announce_plan(7, told)
    room.log.announce_plan(8, told)  # of another
    with database.reading(engine) as connection:
        rows = audit.of_kind(connection, "plan.publish", 0.0, clock.wall_s() + 1)
    kept = [(row.subject, row.actor, row.detail) for row in rows]
    assert kept[0] == ("7", "ada", "routes chat") and "8" not in {row[0] for row in kept}
    assert [row[0] for row in kept].count("7") == 1
