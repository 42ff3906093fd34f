"""Learnt thresholds are appended; the newest of a route speaks."""

from msgspec.structs import replace
from sqlalchemy import Engine, insert
from tests.core.test_learnt import LEARNT

from tidegate.stores import audit, database, thresholds
from tidegate.stores.audit import Author
from tidegate.stores.schema_thresholds import thresholds as table


def test_the_newest_of_a_route_speaks_until_it_is_forgotten(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert thresholds.newest(connection) == {}
        thresholds.append(connection, LEARNT)
        thresholds.append(connection, replace(LEARNT, route="talk"))
        newer = replace(LEARNT, id="t2", threshold=0.96)
        thresholds.append(connection, newer)
        assert thresholds.newest(connection)["chat"] == newer
        thresholds.forget(connection, "chat", "no good", Author("me", 2.0))
        assert set(thresholds.newest(connection)) == {"talk"}
        noted = [it.what for it in audit.recent(connection)]
    assert noted == ["threshold.forget", *["threshold.learn"] * 3]


def test_one_that_cannot_be_read_is_none(engine: Engine) -> None:
    with database.writing(engine) as connection:
        thresholds.append(connection, LEARNT)
        connection.execute(insert(table).values(seq=9, route="chat", body='{"id": 1'))
        assert thresholds.newest(connection) == {}
