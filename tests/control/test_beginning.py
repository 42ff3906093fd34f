"""Scheduled changes begin when their time has come, and people are told of those that cannot."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, update
from tests.control.conftest import Room, error_code
from tests.control.test_api_changes import TWO, in_force

from tidegate.control.beginning import Beginning
from tidegate.core import clock
from tidegate.core.change import Change
from tidegate.core.notice import Notice
from tidegate.stores import changes, database, notices
from tidegate.stores.schema_schedule import scheduled_changes


@pytest.fixture
def two(room: Room) -> Room:
    room.plan_file.write_text(TWO.format(route="chat"))
    assert room.ask("POST", "/api/plan/reload").json()["outcome"] == "published"
    more = room.layout.state / "operator.tokens"
    more.write_text("operator bob " + "b" * 40 + "\n")
    more.chmod(0o600)
    return room


def schedule(room: Room, **fields: Any) -> dict[str, Any]:
    plain = {"lever": "route_off", "scope": "chat", "value": 1, "for_s": 600, "reason": "a move"}
    asked = {**plain, "at_s": clock.wall_s() + 3600, **fields}
    asked = {name: value for name, value in asked.items() if value is not None}
    answer = room.ask("POST", "/api/changes", asked)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["change"]
    return made


def look(room: Room, now_s: float) -> None:
    Beginning(room.desk.engine, lambda: room.plans.current, lambda: True).look(now_s)


def listed(room: Room, query: str = "") -> list[tuple[str, str]]:
    found = room.ask("GET", f"/api/changes{query}").json()["changes"]
    return [(one["id"], one["state"]) for one in found]


def told(engine: Engine) -> list[Notice]:
    with database.reading(engine) as connection:
        return notices.recent(connection)


def test_it_is_to_come_until_it_begins_and_gateways_hear_of_it_then(two: Room) -> None:
    made = schedule(two)
    assert (made["state"], made["remaining_s"]) == ("scheduled", 0.0)
    assert listed(two) == [(made["id"], "scheduled")]
    seq = database_seq(two)
    look(two, made["from_s"] - 1)
    assert (in_force(two), database_seq(two)) == ([], seq)
    look(two, made["from_s"] + 1)
    look(two, made["from_s"] + 2)
    assert database_seq(two) == seq + 1
    (view,) = two.ask("GET", "/api/changes").json()["changes"]
    assert (view["id"], view["from_s"]) == (made["id"], made["from_s"] + 1)
    assert view["until_s"] == made["until_s"]
    assert two.ask("POST", f"/api/changes/{made['id']}/end").json()["change"]["state"] == "ended"


def database_seq(room: Room) -> int:
    return room.log.newest_seq()


def test_ending_it_before_its_time_cancels_it(two: Room) -> None:
    made = schedule(two)
    ended = two.ask("POST", f"/api/changes/{made['id']}/end").json()["change"]
    assert (ended["state"], ended["ended_why"]) == ("ended", "ended")
    look(two, made["from_s"] + 1)
    assert (in_force(two), listed(two)) == ([], [])
    assert listed(two, "?ended=true") == [(made["id"], "ended")]
    assert error_code(two.ask("POST", f"/api/changes/{made['id']}/end")) == "not_found"
    assert told(two.desk.engine) == []


def test_what_it_may_hold_is_judged_when_it_begins(two: Room) -> None:
    taken = schedule(two, lever="target_weight", scope="both/small", value=3)
    alone = schedule(two, lever="target_off", scope="large")
    gone = schedule(two, scope="both")
    with database.writing(two.desk.engine) as connection:
        from_s = taken["from_s"] - 10
        dial = Change("d", "target_weight", "both/small", 2.0, "r", "operator:bob", from_s, 2e9)
        changes.hold(connection, dial)
        off = replace(dial, id="o", lever="target_off", scope="small", value=1.0)
        changes.hold(connection, off)
    two.plan_file.write_text(TWO.replace("both:", "other:").format(route="chat"))
    two.ask("POST", "/api/plan/reload")
    look(two, taken["from_s"] + 5)
    why = {one["id"]: one["ended_why"] for one in views(two)}
    assert "there is no route" in why[gone["id"]]
    assert "there is no route and target" in why[taken["id"]]
    assert "nothing serves" in why[alone["id"]]
    said = {one.key: one for one in told(two.desk.engine)}
    assert {one.severity for one in said.values()} == {"ticket"} and len(said) == 3
    assert "operator:operator" in said[f"change/{gone['id']}/missed"].text


def test_a_dial_that_another_holds_by_then_is_left_to_them(two: Room) -> None:
    made = schedule(two, lever="target_weight", scope="both/small", value=3)
    with database.writing(two.desk.engine) as connection:
        from_s = made["from_s"] - 10
        dial = Change("d", "target_weight", "both/small", 2.0, "r", "operator:bob", from_s, 2e9)
        changes.hold(connection, dial)
    look(two, made["from_s"])
    (view,) = [one for one in views(two) if one["id"] == made["id"]]
    assert view["ended_why"].startswith("refused: target_weight of both/small is held by")
    assert len(told(two.desk.engine)) == 1


def test_one_whose_time_went_by_is_missed_and_told(two: Room) -> None:
    made = schedule(two)
    look(two, made["until_s"])
    assert in_force(two) == []
    assert views(two)[0]["ended_why"].startswith("missed")
    assert "missed" in told(two.desk.engine)[0].text
    late = schedule(two)
    look(two, late["until_s"] - 60)
    with database.reading(two.desk.engine) as connection:
        (held,) = changes.in_force(connection, late["until_s"] - 60)
    assert held.remaining_s(late["until_s"] - 60, 0.0) == pytest.approx(60.0)


def views(room: Room) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = room.ask("GET", "/api/changes?ended=true").json()["changes"]
    return found


def test_it_waits_for_approval_and_begins_when_that_comes(two: Room) -> None:
    made = schedule(two, approvals=1)
    assert made["state"] == "waiting"
    look(two, made["from_s"] + 1)
    assert listed(two) == [(made["id"], "waiting")]
    approved = two.ask("POST", f"/api/changes/{made['id']}/approve", token="b" * 40)
    assert approved.json()["change"]["state"] == "scheduled"
    look(two, made["from_s"] + 2)
    assert listed(two)[0][0] == made["id"] and views(two)[0]["approved_by"] == ["operator:bob"]


@pytest.mark.parametrize("at_s", [-1.0, 401 * 86_400.0])
def test_a_time_that_is_past_or_too_far_away_is_refused(two: Room, at_s: float) -> None:
    asked = {"lever": "frozen", "scope": "*", "value": 1, "for_s": 600, "reason": "holidays"}
    answer = two.ask("POST", "/api/changes", {**asked, "at_s": clock.wall_s() + at_s})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "at_s")


def test_who_does_not_lead_begins_nothing(two: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.control.beginning.LOOK_S", 0.0)
    looked: list[float] = []
    for leads in (False, True):
        it = Beginning(two.desk.engine, lambda: two.plans.current, lambda leads=leads: leads)
        monkeypatch.setattr(it, "look", looked.append)

        async def watch(it: Beginning = it) -> None:
            task = asyncio.create_task(it.watch())
            for _ in range(200):
                await asyncio.sleep(0.001)
                if looked:
                    break
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(watch())
        assert bool(looked) is leads


def test_what_is_to_come_hides_nothing_that_holds(two: Room) -> None:
    held = schedule(two, at_s=None, lever="frozen")
    later = [schedule(two)["id"], schedule(two, at_s=clock.wall_s() + 7200)["id"]]
    schedule(two, at_s=clock.wall_s() + 9000, approvals=1)
    assert listed(two, "?limit=2") == [(later[0], "scheduled"), (held["id"], "in force")]


def test_one_that_cannot_be_looked_at_holds_up_no_other(two: Room) -> None:
    strange, made = schedule(two, scope="both"), schedule(two)
    with database.writing(two.desk.engine) as connection:  # as a newer Tidegate wrote it
        row = update(scheduled_changes).where(scheduled_changes.c.id == strange["id"])
        connection.execute(row.values(lever="tilt"))
    look(two, made["from_s"] + 1)
    assert (made["id"], "in force") in listed(two)
