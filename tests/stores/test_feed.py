from sqlalchemy import Engine

from tidegate.core.cache_labels import Selector
from tidegate.core.feed import TOLD_S, Invalidation
from tidegate.stores import database, feed


def test_entries_come_in_the_order_of_their_numbers(engine: Engine) -> None:
    with database.writing(engine) as connection:
        first = feed.append_key(connection, "aaaa0000", 1.0)
        second = feed.append_plan(connection, 7, 2.0)
    assert (first, second) == (1, 2)
    with database.reading(engine) as connection:
        assert feed.after(connection, 0) == [
            feed.FeedRow(1, "key", "aaaa0000", None, 1.0),
            feed.FeedRow(2, "plan", None, 7, 2.0),
        ]
        assert feed.after(connection, 1, limit=1)[0].seq == 2
        assert feed.after(connection, 2) == []


def test_several_keys_have_numbers_in_their_order(engine: Engine) -> None:
    with database.writing(engine) as connection:
        feed.append_plan(connection, 7, 1.0)
        feed.append_keys(connection, ["b", "a"], 2.0)
        feed.append_keys(connection, [], 2.0)
        assert feed.append_key(connection, "c", 3.0) == 4
        found = [(row.seq, row.key_id) for row in feed.after(connection, 0)]
    assert found == [(1, None), (2, "b"), (3, "a"), (4, "c")]


def test_the_newest_of_an_empty_feed_is_nought(engine: Engine) -> None:
    with database.reading(engine) as connection:
        assert feed.newest_seq(connection) == 0


def test_trimming_keeps_the_newest(engine: Engine) -> None:
    with database.writing(engine) as connection:
        for number in range(10):
            feed.append_plan(connection, number, 0.0)
        assert feed.trim(connection, 3, 0.0) == 7
        assert [row.seq for row in feed.after(connection, 0)] == [8, 9, 10]
        assert feed.trim(connection, 3, 0.0) == 0


def test_trimming_to_nothing_still_keeps_one(engine: Engine) -> None:
    with database.writing(engine) as connection:
        feed.append_plan(connection, 1, 0.0)
        feed.append_plan(connection, 2, 0.0)
        feed.trim(connection, 0, 0.0)
        assert feed.newest_seq(connection) == 2


def test_an_invalidation_is_kept_as_long_as_it_is_told_whatever_came_since(
    engine: Engine,
) -> None:
    one = Invalidation("i", Selector(tag="t"))
    with database.writing(engine) as connection:
        for number in range(9):
            if number == 4:
                feed.append_invalidation(connection, one, 100.0)
            feed.append_key(connection, f"k{number}", 100.0)
        feed.trim(connection, 3, 100.0 + TOLD_S)
        assert [row.seq for row in feed.after(connection, 0)] == [5, 6, 7, 8, 9, 10]
        assert feed.invalidated_lately(connection, 100.0 + TOLD_S) == (one,)
        assert feed.trim(connection, 3, 101.0 + TOLD_S) == 3


def test_an_undone_change_gives_no_number(engine: Engine) -> None:
    try:
        with database.writing(engine) as connection:
            feed.append_plan(connection, 1, 0.0)
            raise RuntimeError
    except RuntimeError:
        pass
    with database.reading(engine) as connection:
        assert feed.newest_seq(connection) == 0


def test_a_plan_is_known_once_it_was_numbered(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert not feed.has_plan(connection, 7)
        feed.append_plan(connection, 7, 1.0)
        assert feed.has_plan(connection, 7) and not feed.has_plan(connection, 8)
