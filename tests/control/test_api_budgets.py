"""Budgets at run time: what they come to in the plan, what is refused, who did it."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine
from tests.control.conftest import PLAN, Room, error_code
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.plan import Limit, Plan
from tidegate.stores import audit, database
from tidegate.stores.ledger import Ledger

DECLARED = "budgets: {declared: {amount: 100, per: month}}\n"
MONTH = {"name": "teams", "amount": "5", "per": "month", "scope": "team"}


@pytest.fixture
def budgeted(room: Room) -> Room:
    room.plan_file.write_text(PLAN.format(route="chat") + DECLARED)
    assert room.ask("POST", "/api/plan/reload").json()["outcome"] == "published"
    return room


def spend(engine: Engine, *amounts: tuple[str, int], **fields: Any) -> None:
    now_s = clock.wall_s()
    rows = [rig.receipt(now_s, team=team, cost_nanousd=cost, **fields) for team, cost in amounts]
    Ledger(engine).write(rig.entries(*rows), [])


def limits(room: Room) -> dict[str, Limit]:
    return {limit.name: limit for limit in room.plans.current.limits}


def test_a_budget_that_is_set_is_in_the_plan_on_disk_and_in_the_feed(
    budgeted: Room, engine: Engine
) -> None:
    before = budgeted.plans.current.version
    answer = budgeted.ask(
        "POST", "/api/budgets", {**MONTH, "only": {"route": "chat"}, "hard": False, "alerts": [80]}
    )
    assert answer.status_code == 201
    assert answer.json() == {
        "name": "teams",
        "plan_version": before + 1,
        "waiting_for": [],
        "raise_id": None,
    }
    assert limits(budgeted)["teams"] == Limit(
        *("teams", "spend", 5_000_000_000, ("team",), (("route", "chat"),)),
        unit="month",
        on_excess="alert",
        alert_percents=(80,),
    )
    stored = msgspec.msgpack.decode(budgeted.layout.plan.read_bytes(), type=Plan)
    assert stored == budgeted.plans.current
    assert budgeted.log.newest_plan_version() == before + 1
    with database.reading(engine) as connection:
        published, newest = audit.recent(connection, limit=2)
    assert (newest.actor, newest.what, newest.subject) == ("operator", "budget.set", "teams")
    assert (published.what, published.subject) == ("plan.publish", str(before + 1))


def test_it_outlives_a_reload_of_the_file_and_a_restart(budgeted: Room, engine: Engine) -> None:
    budgeted.ask("POST", "/api/budgets", MONTH)
    budgeted.plan_file.write_text(PLAN.format(route="other") + DECLARED)
    budgeted.ask("POST", "/api/plan/reload")
    assert set(limits(budgeted)) == {"declared", "teams"}
    again = Room(budgeted.layout, engine, budgeted.plan_file)
    again.plans.start(budgeted.log.newest_plan_version())
    assert again.plans.current.digest == budgeted.plans.current.digest


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"name": "declared"}, 409, "declared in the plan file"),
        ({"name": "team.x"}, 400, "/team/update"),
        ({"name": "a b"}, 400, "name"),
        ({"amount": "0"}, 400, "amount"),
        ({"amount": "NaN"}, 400, "amount"),
        ({"amount": "-1"}, 400, "amount"),
        ({"amount": "0.0000000001"}, 400, "9 decimals"),
        ({"amount": "1e99"}, 400, "amount"),
        ({"per": "fortnight"}, 400, "per: expected"),
        ({"per": "30d", "time_zone": "Europe/Berlin"}, 422, "time zone"),
        ({"time_zone": "Mars/Base"}, 400, "time_zone"),
        ({"scope": "planet"}, 400, "scope"),
        ({"only": {"route": "nowhere"}}, 422, "no route"),
        ({"only": {"team": "${HOME}"}}, 400, "HOME"),
        ({"alerts": [80, 50]}, 422, "rising order"),
        ({"hard": False, "alerts": []}, 422, "neither refuses nor alerts"),
        ({"scope": None}, 422, "can never speak"),
        ({"colour": "red"}, 400, "colour"),
    ],
)
def test_what_does_not_fit_is_refused_as_in_the_plan_file_and_changes_nothing(
    budgeted: Room, engine: Engine, changes: dict[str, Any], status: int, told: str
) -> None:
    asked = {**MONTH, **changes}
    if changes == {"scope": None}:
        asked["amount"] = "500"
    before = budgeted.plans.current
    answer = budgeted.ask("POST", "/api/budgets", asked)
    assert answer.status_code == status, answer.text
    assert told in answer.text
    assert budgeted.plans.current == before
    assert budgeted.ask("GET", "/api/budgets/teams").status_code == 404
    with database.reading(engine) as connection:
        assert all(row.what != "budget.set" for row in audit.recent(connection))


def test_a_file_that_declares_a_budget_set_at_run_time_is_refused(room: Room) -> None:
    room.ask("POST", "/api/budgets", {"name": "declared", "amount": "7", "per": "day"})
    room.plan_file.write_text(PLAN.format(route="chat") + DECLARED)
    answer = room.ask("POST", "/api/plan/reload")
    assert answer.status_code == 422
    assert "run time" in answer.text
    assert set(limits(room)) == {"declared"}


def test_a_plan_file_that_was_never_good_takes_no_budget(room: Room) -> None:
    room.plans.declared = type(room.plans.declared)()
    room.plans.problems = ["broken"]
    answer = room.ask("POST", "/api/budgets", MONTH)
    assert (answer.status_code, answer.json()["error"]["problems"]) == (422, ["broken"])


def test_a_budget_is_ended_by_whom_it_was_set_and_a_declared_one_in_its_file(
    budgeted: Room,
) -> None:
    budgeted.ask("POST", "/api/budgets", MONTH)
    assert budgeted.ask("POST", "/api/budgets/teams/end", {}).status_code == 200
    assert set(limits(budgeted)) == {"declared"}
    assert budgeted.ask("POST", "/api/budgets/teams/end", {}).status_code == 404
    answer = budgeted.ask("POST", "/api/budgets/declared/end", {})
    assert (answer.status_code, error_code(answer)) == (400, "invalid_request")


def test_a_list_says_what_the_ledger_has_and_who_spent_most(budgeted: Room, engine: Engine) -> None:
    budgeted.ask("POST", "/api/budgets", MONTH)
    spend(engine, ("growth", 4_000_000_000), ("search", 1_000_000_000), ("growth", 500_000_000))
    declared, teams = budgeted.ask("GET", "/api/budgets").json()["budgets"]
    assert (declared["author"], teams["author"]) == (None, "operator")
    assert (declared["state"], teams["state"]) == ("open", "alerting")
    assert [(one["scope"], one["used_usd"], one["left_usd"]) for one in teams["highest"]] == [
        ("team growth", "4.5", "0.5"),
        ("team search", "1.00", "4.00"),
    ]
    assert [one["scope"] for one in declared["highest"]] == ["everything"]
    assert declared["highest"][0]["used_usd"] == "5.5"
    spend(engine, ("growth", 500_000_000))
    explained = budgeted.ask("GET", "/api/budgets/teams").json()
    assert explained["budget"]["state"] == "spent"
    by_team = [one for one in explained["spenders"] if one["dimension"] == "team"]
    assert [(one["value"], one["used_usd"]) for one in by_team] == [
        ("growth", "5.00"),
        ("search", "1.00"),
    ]
    assert "for each team apart" in explained["counts"]
