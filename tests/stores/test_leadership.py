"""A leadership that is over writes nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from tidegate.stores import database, leadership
from tidegate.stores.leadership import Fenced, Leadership


def test_nobody_has_led_at_first(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert leadership.present(connection) == Leadership()
        with pytest.raises(Fenced, match="nobody began 0"):
            leadership.check(connection, 1)


def test_each_leadership_has_an_epoch_of_its_own_and_voids_those_before(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert leadership.take(connection, "a", 10.0) == 1
        assert leadership.beat(connection, 1, 11.0) == 1
        assert leadership.beat(connection, 1, 12.0) == 2
        assert leadership.take(connection, "b", 20.0) == 2
        assert leadership.present(connection) == Leadership(2, 2, "b", 20.0, 12.0)
        with pytest.raises(Fenced, match="b began 2"):
            leadership.beat(connection, 1, 21.0)
        assert leadership.beat(connection, 2, 22.0) == 3
        leadership.check(connection, 2)
        with pytest.raises(Fenced):
            leadership.check(connection, 3)


def test_a_leadership_that_was_undone_never_was(engine: Engine) -> None:
    with pytest.raises(RuntimeError), database.writing(engine) as connection:
        leadership.take(connection, "a", 10.0)
        raise RuntimeError
    with database.reading(engine) as connection:
        assert leadership.present(connection).epoch == 0


def test_of_several_that_begin_at_once_each_has_its_own_and_the_last_leads(engine: Engine) -> None:
    def take(number: int) -> int:
        with database.writing(engine) as connection:
            return leadership.take(connection, f"node-{number}", 10.0)

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(take, range(6))) == [1, 2, 3, 4, 5, 6]
    with database.writing(engine) as connection:
        leadership.check(connection, 6)
