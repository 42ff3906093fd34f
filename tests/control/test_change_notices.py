"""People are told of changes that wait for them, of freezes, and of the end of both."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.test_api_changes import make, two
from tests.control.test_beginning import look, schedule

from tidegate.stores import database, notices

__all__ = ["two"]


def told(engine: Engine, *, only_open: bool = True) -> dict[str, str]:
    """By the last part of its key what each says."""
    with database.reading(engine) as connection:
        found = notices.recent(connection, only_open=only_open)
    return {one.key.rpartition("/")[2]: one.title for one in found}


def test_one_that_waits_is_told_until_it_is_approved(two: Room) -> None:
    made = make(two, approvals=2)
    assert told(two.desk.engine) == {"waits": "A change waits for approval: route_off of chat at 1"}
    path = f"/api/changes/{made['id']}/approve"
    two.ask("POST", path, token="b" * 40)
    assert "waits" in told(two.desk.engine)
    more = two.layout.state / "operator.tokens"
    more.write_text(more.read_text() + "operator eve " + "e" * 40 + "\n")
    assert two.ask("POST", path, token="e" * 40).json()["change"]["state"] == "in force"
    assert told(two.desk.engine) == {}


def test_a_freeze_is_told_until_it_ends(two: Room) -> None:
    made = make(two, lever="frozen", scope="*")
    assert told(two.desk.engine) == {"frozen": "No release of every route moves on"}
    two.ask("POST", f"/api/changes/{made['id']}/end")
    assert told(two.desk.engine) == {}
    later = schedule(two, lever="frozen", scope="chat")
    assert told(two.desk.engine) == {}
    look(two, later["from_s"])
    assert told(two.desk.engine) == {"frozen": "No release of chat moves on"}
    with database.writing(two.desk.engine) as connection:
        notices.lapse(connection, later["until_s"])
    assert told(two.desk.engine) == {}


@pytest.mark.parametrize("end", ["approve", "end", "miss"])
def test_a_scheduled_one_waits_for_people_too(two: Room, end: str) -> None:
    made = schedule(two, approvals=1)
    assert set(told(two.desk.engine)) == {"waits"}
    if end == "miss":
        look(two, made["until_s"] + 1)
    else:
        two.ask("POST", f"/api/changes/{made['id']}/{end}", token="b" * 40)
    assert set(told(two.desk.engine)) == ({"missed"} if end == "miss" else set())


def test_what_concerns_nobody_is_not_told(two: Room) -> None:
    make(two)
    assert told(two.desk.engine, only_open=False) == {}
