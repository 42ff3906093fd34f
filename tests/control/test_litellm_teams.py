"""`/team/...` for those who come from LiteLLM."""

from sqlalchemy import Engine
from tests.control.conftest import Room, error_code

from tidegate.core.plan import Limit
from tidegate.stores import keys


def limits(room: Room) -> list[Limit]:
    return list(room.plans.current.limits)


def test_a_team_s_limits_and_budget_are_in_the_plan_and_change_with_it(room: Room) -> None:
    asked = {"team_alias": "growth", "max_budget": 5, "budget_duration": "1mo", "rpm_limit": 60}
    made = room.ask("POST", "/team/new", {**asked, "members_with_roles": [{"user_id": "x"}]})
    assert made.json()["team_id"] == "growth"
    assert made.json()["ignored"] == ["members_with_roles"]
    only = (("team", "growth"),)
    budget, rate = limits(room)
    assert (budget.name, budget.amount, budget.only) == ("team.growth", 5_000_000_000, only)
    assert (rate.name, rate.kind, rate.amount, rate.per_s) == (
        *("team.growth.requests", "requests", 60, 60.0),
    )
    again = room.ask("POST", "/team/new", {"team_id": "growth"})
    assert (again.status_code, error_code(again)) == (409, "taken")
    room.ask("POST", "/team/update", {"team_id": "growth", "max_budget": None, "rpm_limit": 90})
    assert [(one.name, one.amount) for one in limits(room)] == [("team.growth.requests", 90)]
    info = room.ask("GET", "/team/info?team_id=growth").json()
    assert (info["team_info"]["max_budget"], info["team_info"]["rpm_limit"]) == (None, 90)
    assert [one["team_id"] for one in room.ask("GET", "/team/list").json()] == ["growth"]


def test_a_team_that_is_deleted_ends_its_keys_budget_and_lead(room: Room, engine: Engine) -> None:
    token = room.make_team("growth", max_budget=5, budget_duration="30d")
    key_id = room.make_key(team="growth")["record"]["id"]
    other = room.make_key(team="search")["record"]["id"]
    gone = room.ask("POST", "/team/delete", {"team_ids": ["growth"]}).json()
    assert gone["revoked_keys"] == [key_id]
    assert limits(room) == []
    assert room.ask("GET", "/team/list", token=token).status_code == 401
    kept = keys.get(engine, other)
    assert kept is not None and kept.revoked_at_s is None
    assert room.ask("POST", "/team/delete", {"team_ids": ["growth"]}).status_code == 404


def test_of_several_teams_all_or_none_are_deleted(room: Room) -> None:
    room.make_team("growth")
    answer = room.ask("POST", "/team/delete", {"team_ids": ["growth", "none"]})
    assert answer.status_code == 404
    assert [one["team_id"] for one in room.ask("GET", "/team/list").json()] == ["growth"]


def test_a_team_s_grants_are_not_cut_below_what_its_keys_have(room: Room) -> None:
    room.make_team("growth")
    key_id = room.make_key(team="growth")["record"]["id"]
    answer = room.ask("POST", "/team/update", {"team_id": "growth", "models": ["chat"]})
    assert (answer.status_code, error_code(answer)) == (403, "grant_too_wide")
    assert key_id in answer.text
    room.ask("POST", "/key/update", {"key": key_id, "models": ["chat"]})
    answer = room.ask("POST", "/team/update", {"team_id": "growth", "models": ["chat"]})
    assert answer.json()["models"] == ["chat"]


def test_a_key_does_not_move_to_a_team_that_may_less(room: Room) -> None:
    room.make_team("growth", models=["chat"])
    key_id = room.make_key(team="search")["record"]["id"]
    answer = room.ask("POST", "/key/update", {"key": key_id, "team_id": "growth"})
    assert error_code(answer) == "grant_too_wide"


def test_a_team_s_budget_without_a_duration_is_never_given_anew(room: Room) -> None:
    made = room.ask("POST", "/team/new", {"team_id": "growth", "max_budget": 5}).json()
    assert (made["max_budget"], made["budget_duration"]) == (5, None)
    (limit,) = room.plans.current.limits
    assert (limit.name, limit.unit) == ("team.growth", "lifetime")
    shown = room.ask("GET", "/api/budgets/team.growth").json()
    assert (shown["budget"]["resets_at_s"], shown["budget"]["per"]) == (None, "lifetime")
    assert "requests with team growth, ever;" in shown["counts"]


def test_what_cannot_be_done_is_refused_and_named(room: Room) -> None:
    for body, named in (
        ({}, "team_id"),
        ({"team_alias": "two words"}, None),
        ({"team_id": "a", "models": ["nowhere"]}, "routes"),
        ({"team_id": "a", "model_aliases": {"a": "b"}}, "model_aliases"),
        ({"team_id": "a", "budget_duration": "1mo"}, "budget_duration"),
    ):
        answer = room.ask("POST", "/team/new", body)
        assert (answer.status_code, error_code(answer)) == (400, "invalid_request"), body
        assert answer.json()["error"]["param"] == named
    assert room.ask("POST", "/team/update", {"team_id": "none"}).status_code == 404
    assert room.ask("GET", "/team/info?team_id=none").status_code == 404
