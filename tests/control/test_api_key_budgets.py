"""`key:ID` is a budget like any other: listed, explained, set, raised, ended, its team's alone."""

from typing import Any

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.key_limits import KeyLimits
from tidegate.core.plan import Raise
from tidegate.stores import audit, database, keys
from tidegate.stores.ledger import Ledger

MONEY = {"budget": "10", "budget_per": "lifetime"}


def key_of(room: Room, **given: Any) -> str:
    made: str = room.make_key(**given)["record"]["id"]
    return made


def limits_of(engine: Engine, key_id: str) -> KeyLimits | None:
    found = keys.get(engine, key_id)
    assert found is not None
    return found.limits


def spend(engine: Engine, key_id: str, usd: int, **fields: Any) -> None:
    now_s = clock.wall_s()
    one = rig.receipt(now_s, key_id=key_id, cost_nanousd=usd * 10**9, **fields)
    Ledger(engine).write(rig.entries(one), [])


def test_they_are_listed_after_the_others_first_the_nearest_to_its_end(
    room: Room, engine: Engine
) -> None:
    room.ask("POST", "/api/budgets", {"name": "all", "amount": "5", "per": "month"})
    calm, busy = key_of(room, limits=MONEY), key_of(room, name="busy", team="red", limits=MONEY)
    key_of(room)
    spend(engine, busy, 9)
    found = room.ask("GET", "/api/budgets").json()
    assert [one["name"] for one in found["budgets"]] == ["all", f"key:{busy}", f"key:{calm}"]
    assert found["keys_left_out"] == 0
    shown = found["budgets"][1]
    assert (shown["holder"], shown["state"], shown["per"]) == (
        *("busy, team red", "alerting"),
        "lifetime",
    )
    assert shown["highest"][0]["used_usd"] == "9.00"
    few = room.ask("GET", "/api/budgets?keys=1").json()
    assert ([one["name"] for one in few["budgets"]], few["keys_left_out"]) == (
        ["all", f"key:{busy}"],
        1,
    )


def test_one_is_explained_with_what_counts_who_spent_it_and_its_raises(
    room: Room, engine: Engine
) -> None:
    key_id = key_of(room, limits=MONEY)
    told = room.ask("GET", f"/api/budgets/key:{key_id}").json()
    assert told["budget"]["highest"][0]["used_usd"] == "0.00"
    assert told["counts"].startswith(f"The cost of requests with key {key_id}, ever; ")
    spend(engine, key_id, 4, route="chat")
    now_s = clock.wall_s()
    asked = {"extra": "5", "until_s": now_s + 600, "reason": "launch", "approver": "Bo"}
    raised = room.ask("POST", f"/api/budgets/key:{key_id}/raise", asked)
    assert raised.status_code == 201
    told = room.ask("GET", f"/api/budgets/key:{key_id}").json()
    assert (told["budget"]["allowed_usd"], told["budget"]["amount_usd"]) == ("15.00", "10.00")
    assert {"dimension": "route", "value": "chat", "used_usd": "4.00"} in told["spenders"]
    (shown,) = told["raises"]
    assert (shown["approver"], shown["reason"], shown["state"]) == ("Bo", "launch", "in force")
    assert shown["id"] == raised.json()["raise_id"]
    for wrong in ("key:zzzz0000", f"key:{key_of(room)}"):
        assert error_code(room.ask("GET", f"/api/budgets/{wrong}")) == "not_found"


def test_a_raise_travels_on_the_key_and_ends_alone_or_with_its_budget(
    room: Room, engine: Engine
) -> None:
    key_id = key_of(room, limits={**MONEY, "requests_per_minute": 5})
    name, until_s = f"/api/budgets/key:{key_id}", clock.wall_s() + 600
    version = room.plans.current.version
    numbers = []
    for extra in ("5", "7"):
        asked = {"extra": extra, "until_s": until_s, "reason": "launch"}
        numbers.append(room.ask("POST", f"{name}/raise", asked).json()["raise_id"])
    kept = limits_of(engine, key_id)
    assert kept is not None
    assert kept.raises == (Raise(5 * 10**9, until_s), Raise(7 * 10**9, until_s))
    assert error_code(room.ask("POST", f"{name}/end", {"raise_id": 99})) == "not_found"
    assert room.ask("POST", f"{name}/end", {"raise_id": numbers[0]}).status_code == 200
    kept = limits_of(engine, key_id)
    assert kept is not None
    assert kept.raises == (Raise(7 * 10**9, until_s),)
    assert room.ask("POST", f"{name}/end", {}).status_code == 200
    assert limits_of(engine, key_id) == KeyLimits(requests_per_minute=5)
    assert error_code(room.ask("POST", f"{name}/end", {})) == "not_found"
    more = {"extra": "5", "until_s": until_s, "reason": "x"}
    assert error_code(room.ask("POST", f"{name}/raise", more)) == "not_found"
    room.compiling.is_behind()
    assert (room.plans.current.version, room.compiling.is_behind()) == (version, False)
    with database.reading(engine) as connection:
        said = [row.what for row in audit.recent(connection) if row.subject == f"key:{key_id}"]
    assert said == ["budget.end_raise", "budget.end_raise", "budget.raise", "budget.raise"]


def test_of_two_raises_that_are_alike_one_ends_alone(room: Room, engine: Engine) -> None:
    key_id = key_of(room, limits=MONEY)
    name, until_s = f"/api/budgets/key:{key_id}", clock.wall_s() + 600
    asked = {"extra": "5", "until_s": until_s, "reason": "launch"}
    numbers = [room.ask("POST", f"{name}/raise", asked).json()["raise_id"] for _ in range(2)]
    assert room.ask("POST", f"{name}/end", {"raise_id": numbers[0]}).status_code == 200
    kept = limits_of(engine, key_id)
    assert kept is not None
    assert kept.raises == (Raise(5 * 10**9, until_s),)
    told = room.ask("GET", name).json()
    assert {one["id"]: one["state"] for one in told["raises"]} == {
        numbers[0]: "ended",
        numbers[1]: "in force",
    }


def test_it_is_set_in_the_words_of_the_plan_and_told_to_gateways(
    room: Room, engine: Engine
) -> None:
    key_id = key_of(room, limits={"requests_per_minute": 5})
    before = room.log.newest_seq()
    body = {"name": f"key:{key_id}", "amount": "2.5", "per": "7d", "alerts": [90], "hard": False}
    answer = room.ask("POST", "/api/budgets", body)
    assert (answer.status_code, answer.json()["name"]) == (201, f"key:{key_id}")
    assert limits_of(engine, key_id) == KeyLimits(
        *(2_500_000_000, None, 7 * 86_400.0, 5), budget_hard=False, budget_alerts=(90,)
    )
    entries = room.log.entries_after(before)
    assert entries is not None
    assert [getattr(one.body, "key_id", None) for one in entries] == [key_id]
    shown = room.ask("GET", f"/api/budgets/key:{key_id}").json()["budget"]
    assert (shown["hard"], shown["alerts"], shown["per"]) == (False, [90], "7d")
    # LiteLLM's fields change what they say and nothing else.
    room.ask("POST", "/key/update", {"key": key_id, "max_budget": 4})
    assert limits_of(engine, key_id) == KeyLimits(
        *(4_000_000_000, None, 7 * 86_400.0, 5), budget_hard=False, budget_alerts=(90,)
    )


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"scope": "team"}, "scope"),
        ({"only": {"route": "chat"}}, "only"),
        ({"time_zone": "Europe/Berlin"}, "time_zone"),
        ({"alerts": [80, 50]}, "alerts"),
        ({"alerts": [], "hard": False}, "alerts"),
    ],
)
def test_what_a_key_s_budget_has_not_is_refused_by_its_name(
    room: Room, wrong: dict[str, Any], param: str
) -> None:
    body = {"name": f"key:{key_of(room)}", "amount": "1", "per": "day", **wrong}
    answer = room.ask("POST", "/api/budgets", body)
    assert (error_code(answer), answer.json()["error"]["param"]) == ("invalid_request", param)
    unknown = {"name": "key:zzzz0000", "amount": "1", "per": "day"}
    assert error_code(room.ask("POST", "/api/budgets", unknown)) == "not_found"


def test_a_lead_sees_the_team_s_keys_alone_and_grants_nothing(room: Room, engine: Engine) -> None:
    growth, _ = room.make_team("growth"), room.make_team("search")
    own = key_of(room, team="growth", limits=MONEY)
    others = key_of(room, team="search", limits=MONEY)
    spend(engine, others, 9)
    listed = room.ask("GET", "/api/budgets", token=growth).json()
    assert [one["name"] for one in listed["budgets"]] == [f"key:{own}"]
    assert listed["keys_left_out"] == 0
    explained = room.ask("GET", f"/api/budgets/key:{own}", token=growth)
    assert explained.status_code == 200
    assert error_code(room.ask("GET", f"/api/budgets/key:{others}", token=growth)) == "not_found"
    body = {"name": f"key:{own}", "amount": "99", "per": "day"}
    more = {"extra": "5", "until_s": clock.wall_s() + 60, "reason": "x"}
    for path, sent in (("", body), (f"/key:{own}/raise", more), (f"/key:{own}/end", {})):
        answer = room.ask("POST", f"/api/budgets{path}", sent, token=growth)
        assert error_code(answer) == "role_too_low"


def test_a_raise_by_litellm_s_fields_is_one_of_these(room: Room) -> None:
    made = room.ask("POST", "/key/generate", {"max_budget": 5}).json()
    update = {"key": made["token"], "temp_budget_increase": 3, "temp_budget_expiry": "1d"}
    room.ask("POST", "/key/update", update)
    told = room.ask("GET", f"/api/budgets/key:{made['token']}").json()
    (shown,) = told["raises"]
    assert (shown["extra_usd"], shown["approver"], shown["state"]) == (
        *("3.00", "operator"),
        "in force",
    )
    room.ask("POST", "/key/update", {"key": made["token"], "temp_budget_increase": None})
    told = room.ask("GET", f"/api/budgets/key:{made['token']}").json()
    assert [one["state"] for one in told["raises"]] == ["ended"]
