from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Raw
from sqlalchemy import Engine
from tests.stores.changed import NOON_S, change, leased

from tidegate.core import clock
from tidegate.core.cache_labels import Selector
from tidegate.core.feed import (
    AnswersInvalidated,
    ChangesInForce,
    Entry,
    Forget,
    InForce,
    Invalidation,
    KeyChanged,
    PlanPublished,
)
from tidegate.stores import changes, database, feed, feed_reader, leadership, plans
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.feed_reader import FeedReader
from tidegate.stores.shared import Shared

NONE = ChangesInForce(0, ())


@pytest.fixture
def reader(place: Path | Shared) -> Iterator[FeedReader]:
    reader = FeedReader(place, timeout_s=5.0)
    yield reader
    reader.close()


def changed(engine: Engine, *keys: str) -> None:
    with database.writing(engine) as connection:
        for key_id in keys:
            feed.append_key(connection, key_id, 1.0)


def published(engine: Engine, version: int) -> PlanPublished:
    plan = b"\x93" + bytes([version]) * 3
    with database.writing(engine) as connection:
        plans.add(connection, version, plan, 1.0)
        feed.append_plan(connection, version, 1.0)
    return PlanPublished(version, Raw(plan))


def test_keys_that_changed_are_named_and_of_plans_the_newest_is_told(
    engine: Engine, reader: FeedReader
) -> None:
    published(engine, 1)
    changed(engine, "a", "b")
    assert reader.after(1) == [Entry(2, KeyChanged("a")), Entry(3, KeyChanged("b"))]
    assert reader.after(3) == []
    published(engine, 2)
    newest = published(engine, 3)
    changed(engine, "c")
    assert reader.after(3) == [Entry(6, KeyChanged("c")), Entry(6, newest)]


def test_who_was_told_nothing_yet_begins_with_everything(
    engine: Engine, reader: FeedReader
) -> None:
    assert reader.after(0) == []
    changed(engine, "a")
    assert reader.after(0) == [Entry(1, Forget()), Entry(1, NONE)]
    plan = published(engine, 1)
    assert reader.after(0) == [Entry(2, Forget()), Entry(2, NONE), Entry(2, plan)]


def test_what_is_in_force_is_told_with_how_long_it_lasts(
    engine: Engine, reader: FeedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(engine, 1)
    with database.writing(engine) as connection:
        leadership.take(connection, "a", NOON_S)
        leadership.beat(connection, 1, NOON_S + 10)
        changes.hold(connection, change("c1"))
        changes.hold(connection, leased("c2"))
        changes.hold(connection, change("c3", lever="frozen", scope="chat"), needs=1)
        changes.hold(connection, change("c4", until_s=NOON_S + 5))
    for now_s, left_s, lease_left_s in ((NOON_S + 30, 570.0, 40.0), (NOON_S + 90, 510.0, 0.0)):
        monkeypatch.setattr(clock, "wall_s", lambda now_s=now_s: now_s)
        held = InForce("c1", "target_off", "small", 1.0, left_s)
        lease = InForce("c2", "release_weight", "chat", 0.05, lease_left_s, 60.0)
        assert reader.after(1) == [Entry(4, ChangesInForce(1, (held, lease)))]
    plan = published(engine, 2)
    assert [type(entry.body) for entry in reader.after(2)] == [ChangesInForce, type(plan)]


def test_where_something_is_missing_it_begins_anew(
    engine: Engine, reader: FeedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = published(engine, 1)
    changed(engine, *"abcdef")
    afresh = [Entry(7, Forget()), Entry(7, NONE), Entry(7, plan)]
    assert reader.after(8) == afresh, "the store is an older copy"
    monkeypatch.setattr(feed_reader, "_MOST_NAMED", 3)
    assert len(reader.after(4)) == 3
    assert reader.after(3) == afresh, "too many to be named"
    with database.writing(engine) as connection:
        feed.trim(connection, 2, clock.wall_s())
    assert reader.after(5) == afresh, "it is no longer kept"
    assert reader.after(6) == [Entry(7, KeyChanged("f"))]


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        FeedReader(tmp_path / "none.db", timeout_s=0.1).after(1)


def test_what_was_invalidated_is_told_in_its_place_and_lately_to_who_begins(
    engine: Engine, reader: FeedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "wall_s", lambda: NOON_S)
    said = [Invalidation(f"01{name}", Selector(tag=name)) for name in "abc"]
    published(engine, 1)
    with database.writing(engine) as connection:
        feed.append_invalidation(connection, said[0], NOON_S - 40 * 86_400)
        feed.append_invalidation(connection, said[1], NOON_S - 60)
        feed.append_key(connection, "k", NOON_S)
        feed.append_invalidation(connection, said[2], NOON_S)
        assert feed.invalidated_lately(connection, NOON_S) == tuple(said[1:])
    assert reader.after(2) == [
        Entry(3, AnswersInvalidated((said[1],))),
        Entry(4, KeyChanged("k")),
        Entry(5, AnswersInvalidated((said[2],))),
    ]
    assert Entry(5, AnswersInvalidated(tuple(said[1:]))) in reader.after(0)
