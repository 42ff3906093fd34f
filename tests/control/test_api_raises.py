"""Raises: of one value or of every one, within bounds, until they end."""

from typing import Any

import pytest
from sqlalchemy import Engine
from tests.control.conftest import PLAN, Room

from tidegate.control import api_raises
from tidegate.core import clock
from tidegate.core.plan import Limit, Raise
from tidegate.stores import budgets, database
from tidegate.stores.audit import Author

BUDGETS = """\
budgets:
  declared: {amount: 100, per: month}
  teams: {amount: 5, per: month, scope: team}
  chat: {amount: 7, per: month, scope: [team, route], only: {route: chat}}
"""


@pytest.fixture
def budgeted(room: Room) -> Room:
    room.plan_file.write_text(PLAN.format(route="chat") + BUDGETS)
    assert room.ask("POST", "/api/plan/reload").json()["outcome"] == "published"
    return room


def limits(room: Room) -> dict[str, Limit]:
    return {limit.name: limit for limit in room.plans.current.limits}


def asked(**given: Any) -> dict[str, Any]:
    return {"extra": "5", "until_s": clock.wall_s() + 60, "reason": "x", **given}


def test_a_raise_lies_in_the_plan_until_it_is_ended_or_over(budgeted: Room) -> None:
    until_s = clock.wall_s() + 3600
    wanted = asked(extra="25.5", until_s=until_s, reason="launch", approver="Bo")
    answer = budgeted.ask("POST", "/api/budgets/declared/raise", wanted)
    assert answer.status_code == 201
    assert limits(budgeted)["declared"].raises == (Raise(25_500_000_000, until_s),)
    explained = budgeted.ask("GET", "/api/budgets/declared").json()
    assert explained["budget"]["allowed_usd"] == "125.5"
    assert explained["budget"]["amount_usd"] == "100.00"
    (shown,) = explained["raises"]
    assert (shown["approver"], shown["author"], shown["state"]) == ("Bo", "operator", "in force")
    number = answer.json()["raise_id"]
    ended = budgeted.ask("POST", "/api/budgets/declared/end", {"raise_id": number})
    assert ended.status_code == 200
    assert limits(budgeted)["declared"].raises == ()
    again = budgeted.ask("POST", "/api/budgets/declared/end", {"raise_id": number})
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("name", "changes", "status"),
    [
        ("none", {}, 404),
        ("declared", {"extra": "0"}, 400),
        ("declared", {"extra": "-5"}, 400),
        ("declared", {"until_s": 5.0}, 400),
        ("declared", {"until_s": 1e300}, 400),
        ("declared", {"reason": ""}, 400),
        ("declared", {"extra": "999999900.000000001"}, 400),
        ("declared", {"scope": {"team": "growth"}}, 400),
        ("teams", {}, 400),
        ("teams", {"scope": {}}, 400),
        ("teams", {"scope": {"team": ""}}, 400),
        ("teams", {"scope": {"team": "a\x1fb"}}, 400),
        ("teams", {"scope": {"key": "k"}}, 400),
        ("teams", {"scope": {"team": "growth", "key": "k"}}, 400),
        ("teams", {"scope": {"team": "growth"}, "every": True}, 400),
        ("chat", {"scope": {"route": "chat"}}, 400),
        ("chat", {"scope": {"team": "growth", "route": "other"}}, 400),
    ],
)
def test_a_raise_of_nothing_for_nothing_or_for_ever_is_refused(
    budgeted: Room, name: str, changes: dict[str, Any], status: int
) -> None:
    answer = budgeted.ask("POST", f"/api/budgets/{name}/raise", asked(**changes))
    assert answer.status_code == status


def test_one_value_is_raised_and_whoever_means_all_says_so(budgeted: Room) -> None:
    refused = budgeted.ask("POST", "/api/budgets/teams/raise", asked())
    assert 'scope, as in {"team": "..."}' in refused.json()["error"]["message"]
    one = asked(scope={"team": "growth"})
    assert budgeted.ask("POST", "/api/budgets/teams/raise", one).status_code == 201
    assert budgeted.ask("POST", "/api/budgets/teams/raise", asked(every=True)).status_code == 201
    of_one, of_all = limits(budgeted)["teams"].raises
    assert (of_one.scope, of_all.scope) == ((("team", "growth"),), ())
    raises = budgeted.ask("GET", "/api/budgets/teams").json()["raises"]
    assert [shown["scope"] for shown in raises] == [None, "team growth"]


def test_of_a_budget_that_is_ended_meanwhile_no_raise_is_left(
    budgeted: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily = {"name": "mine", "amount": "50", "per": "day"}
    assert budgeted.ask("POST", "/api/budgets", daily).is_success
    real = api_raises.raised_values

    def late(*given: Any) -> dict[str, str]:
        with database.writing(engine) as connection:
            budgets.end(connection, "mine", Author("ana", 1.0))
        return real(*given)

    monkeypatch.setattr(api_raises, "raised_values", late)
    assert budgeted.ask("POST", "/api/budgets/mine/raise", asked()).status_code == 404
    assert budgeted.ask("POST", "/api/budgets", daily).is_success
    assert limits(budgeted)["mine"].raises == ()


def test_what_is_fixed_by_only_need_not_be_said(budgeted: Room) -> None:
    assert budgeted.ask(
        "POST", "/api/budgets/chat/raise", asked(scope={"team": "growth"})
    ).is_success
    (raised,) = limits(budgeted)["chat"].raises
    assert raised.scope == (("route", "chat"), ("team", "growth"))


def test_a_lead_sees_the_raises_of_the_team_and_of_all_and_of_no_other(budgeted: Room) -> None:
    token = budgeted.make_team("growth")
    for team in ("growth", "rival"):
        budgeted.ask("POST", "/api/budgets/teams/raise", asked(scope={"team": team}))
    budgeted.ask("POST", "/api/budgets/teams/raise", asked(every=True))
    shown = budgeted.ask("GET", "/api/budgets/teams", token=token)
    assert [one["scope"] for one in shown.json()["raises"]] == [None, "team growth"]
    assert "rival" not in shown.text
    refused = budgeted.ask("POST", "/api/budgets/teams/raise", asked(every=True), token=token)
    assert refused.status_code == 403
