"""Changes by people: within bounds, of what there is, ended once, and approved by others."""

from typing import Any

import pytest
from tests.control.conftest import PLAN, Room, error_code

from tidegate.control import api_changes
from tidegate.core import clock
from tidegate.stores import changes, database

TWO = PLAN.replace(
    "  {route}: small\n",
    "  {route}: small\n  both: {{target: small, fallbacks: {{unavailable: [large]}}}}\n",
).replace("routes:", "  large: {{provider: mine, model: large, price: free}}\nroutes:")


@pytest.fixture
def two(room: Room) -> Room:
    room.plan_file.write_text(TWO.format(route="chat"))
    assert room.ask("POST", "/api/plan/reload").json()["outcome"] == "published"
    more = room.layout.state / "operator.tokens"
    more.write_text("operator bob " + "b" * 40 + "\nviewer vic " + "v" * 40 + "\n")
    more.chmod(0o600)
    return room


def asked(**fields: Any) -> dict[str, Any]:
    plain = {"lever": "route_off", "scope": "chat", "value": 1, "for_s": 600, "reason": "it fails"}
    return {**plain, **fields}


def make(room: Room, **fields: Any) -> dict[str, Any]:
    answer = room.ask("POST", "/api/changes", asked(**fields))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["change"]
    return made


def in_force(room: Room) -> list[str]:
    with database.reading(room.desk.engine) as connection:
        return [one.id for one in changes.in_force(connection, clock.wall_s())]


def test_a_lever_is_held_shown_and_ended(two: Room) -> None:
    made = make(two)
    assert (made["state"], made["author"], made["value"]) == ("in force", "operator:operator", 1.0)
    assert 599 < made["remaining_s"] <= 600
    assert two.ask("GET", "/api/changes").json()["changes"][0]["id"] == made["id"]
    assert two.ask("GET", f"/api/changes/{made['id']}").json()["reason"] == "it fails"
    ended = two.ask("POST", f"/api/changes/{made['id']}/end")
    assert (ended.status_code, ended.json()["change"]["ended_why"]) == (200, "ended")
    again = two.ask("POST", f"/api/changes/{made['id']}/end")
    assert (again.status_code, error_code(again)) == (404, "not_found")
    assert two.ask("GET", "/api/changes").json()["changes"] == []
    (kept,) = two.ask("GET", "/api/changes?ended=true").json()["changes"]
    assert (kept["state"], kept["ended_by"]) == ("ended", "operator:operator")
    assert error_code(two.ask("GET", "/api/changes/none")) == "not_found"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"lever": "route_on"}, "lever"),
        ({"value": 2}, "value"),
        ({"value": 0.5}, "value"),
        ({"scope": "chatt"}, "scope"),
        ({"scope": ""}, "value"),
        ({"lever": "target_off", "scope": "chat"}, "scope"),
        ({"lever": "target_weight", "scope": "chat/large", "value": 2}, "scope"),
        ({"lever": "release_weight", "value": 0.5}, "scope"),
        ({"for_s": api_changes.LONGEST_S + 1}, "for_s"),
    ],
)
def test_what_could_not_be_is_refused_with_why(
    two: Room, fields: dict[str, Any], param: str
) -> None:
    answer = two.ask("POST", "/api/changes", asked(**fields))
    assert (answer.status_code, error_code(answer)) == (400, "invalid_request")
    assert answer.json()["error"]["param"] == param
    assert two.ask("GET", "/api/changes?ended=true").json()["changes"] == []


@pytest.mark.parametrize("fields", [{"for_s": 0}, {"for_s": -1}, {"value": "1"}, {"until_s": 5}])
def test_a_body_of_another_shape_is_refused(two: Room, fields: dict[str, Any]) -> None:
    assert two.ask("POST", "/api/changes", asked(**fields)).status_code == 400


def test_a_route_is_not_left_without_a_target_by_mistake(two: Room) -> None:
    answer = two.ask("POST", "/api/changes", asked(lever="target_off", scope="small"))
    message = answer.json()["error"]["message"]
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "anyway")
    assert "nothing serves chat;" in message, "the other has what stands in"
    make(two, lever="target_off", scope="small", anyway=True)
    answer = two.ask("POST", "/api/changes", asked(lever="target_off", scope="large"))
    assert "nothing serves both;" in answer.json()["error"]["message"]


def test_a_dial_has_one_holder_also_among_people(two: Room) -> None:
    dial = asked(lever="target_weight", scope="both/small", value=3)
    make(two, **dial)
    other = two.ask("POST", "/api/changes", dial, token="b" * 40)
    assert (other.status_code, error_code(other)) == (409, "taken")
    assert "held by operator:operator" in other.json()["error"]["message"]
    make(two, **{**dial, "value": 5})
    assert len(in_force(two)) == 1


def test_somebody_else_approves_what_waits_for_it(two: Room) -> None:
    made = make(two, approvals=1)
    assert (made["state"], in_force(two)) == ("waiting", [])
    path = f"/api/changes/{made['id']}/approve"
    assert error_code(two.ask("POST", path)) == "invalid_request"
    assert error_code(two.ask("POST", path, token="v" * 40)) == "role_too_low"
    approved = two.ask("POST", path, token="b" * 40).json()["change"]
    assert (approved["state"], approved["approved_by"]) == ("in force", ["operator:bob"])
    assert in_force(two) == [made["id"]]


def test_the_plan_file_says_which_levers_need_others(two: Room) -> None:
    wanted = TWO.format(route="chat") + "control: {approvals: {route_off: 1}}\n"
    two.plan_file.write_text(wanted)
    assert two.ask("POST", "/api/plan/reload").json()["outcome"] != "refused"
    assert make(two)["state"] == "waiting"
    assert make(two, approvals=2)["approvals"] == 2
    assert make(two, lever="frozen")["state"] == "in force"
    two.plan_file.write_text(wanted.replace("route_off", "route_of"))
    problems = two.ask("POST", "/api/plan/reload").json()["error"]["problems"]
    assert "there is no lever" in problems[0]
    assert "route_off" in problems[0]


def test_who_may_only_look_changes_nothing(two: Room) -> None:
    token = "v" * 40
    assert two.ask("GET", "/api/changes", token=token).status_code == 200
    answer = two.ask("POST", "/api/changes", asked(), token=token)
    assert (answer.status_code, error_code(answer)) == (403, "role_too_low")
    assert two.ask("GET", "/api/changes", token=None).status_code == 401


def test_every_release_may_be_frozen_at_once(two: Room) -> None:
    assert make(two, lever="frozen", scope="*")["scope"] == "*"
    assert make(two, lever="shed_rank", scope="", value=1)["scope"] == ""
