import pytest
from sqlalchemy import Engine, delete, update
from tests.control import release_room as rooms
from tests.control.conftest import Room

from tidegate.stores import database
from tidegate.stores.schema_rollouts import decisions
from tidegate.stores.schema_signals import release_blocks


def replayed(room: Room, query: str = "limit=500") -> list[dict[str, object]]:
    answer = room.ask("GET", f"/api/loop/replay?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["decisions"]
    return found


def test_every_decision_of_a_release_comes_to_the_same_again(room: Room) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "done")
    found = replayed(room)
    assert len(found) >= 8
    assert {one["same"] for one in found} == {True}


def test_decisions_beyond_a_kept_memory_follow_from_it(room: Room) -> None:
    rooms.begun(room, rooms.RELEASE + "approvals: {step: 1}\n")
    for _ in range(50):
        rooms.good(room)
        rooms.tick(room)
    found = replayed(room)
    assert len(found) >= 50
    assert {one["same"] for one in found} == {True}


def test_a_decision_that_comes_to_something_else_is_told(room: Room, engine: Engine) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    seq = replayed(room)[0]["seq"]
    with database.writing(engine) as connection:
        mine = decisions.c.seq == seq
        connection.execute(update(decisions).where(mine).values(proposals="[]"))
    found = replayed(room, f"seq={seq}")
    assert found[0]["same"] is False
    assert "came to" in str(found[0]["why"])


@pytest.mark.parametrize("what", ["blocks", "memory"])
def test_what_is_not_kept_any_more_is_said(room: Room, engine: Engine, what: str) -> None:
    rooms.begun(room)
    rooms.lead_to(room, "step")
    rooms.good(room)
    rooms.tick(room)
    with database.writing(engine) as connection:
        if what == "blocks":
            connection.execute(delete(release_blocks))
        else:
            connection.execute(update(decisions).values(memory=None))
    found = replayed(room, "limit=1")
    assert found[0]["same"] is None
    assert "not kept any more" in str(found[0]["why"])
