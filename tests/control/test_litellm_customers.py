"""`/customer/...` for those who come from LiteLLM."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import rig

from tidegate.control.litellm_customers import budget_name
from tidegate.core import clock
from tidegate.stores.ledger import Ledger

ADA = "ada@example.com"
ASKED = {"user_id": ADA, "max_budget": 2.5, "budget_duration": "30d"}


def test_a_customer_is_a_budget_of_one_end_user(room: Room, engine: Engine) -> None:
    made = room.ask("POST", "/customer/new", {**ASKED, "spend": 3}).json()
    table = made["litellm_budget_table"]
    assert (made["user_id"], made["ignored"], table["max_budget"]) == (ADA, ["spend"], 2.5)
    (limit,) = room.plans.current.limits
    assert (limit.amount, limit.only, limit.scope, limit.unit) == (
        *(2_500_000_000, (("end_user", ADA),), (), "month"),
    )
    Ledger(engine).write(
        rig.entries(rig.receipt(clock.wall_s(), end_user=ADA, cost_nanousd=10**9)), []
    )
    info = room.ask("GET", f"/customer/info?end_user_id={ADA}").json()
    assert (info["spend"], info["litellm_budget_table"]["budget_duration"]) == (1, "30d")
    changed = room.ask("POST", "/customer/update", {"user_id": ADA, "max_budget": 4}).json()
    table = changed["litellm_budget_table"]
    assert (table["max_budget"], table["budget_duration"]) == (4, "30d")
    weekly = {"user_id": ADA, "budget_duration": "7d"}
    table = room.ask("POST", "/customer/update", weekly).json()["litellm_budget_table"]
    assert (table["max_budget"], table["budget_duration"]) == (4, "7d")
    assert room.ask("POST", "/customer/delete", {"user_ids": [ADA]}).json() == {
        "deleted_customers": 1,
        "waiting_for": [],
    }
    assert room.plans.current.limits == ()


def test_who_has_no_budget_is_a_customer_all_the_same(room: Room) -> None:
    info = room.ask("GET", "/customer/info?end_user_id=nobody").json()
    assert (info["spend"], info["litellm_budget_table"]) == (0, None)
    assert room.ask("GET", "/customer/list").json() == []


def test_names_that_people_can_read_are_kept_and_no_two_customers_share_one(room: Room) -> None:
    users = ["ada", ADA, "ada example.com", "x" * 200, "team.growth", "-" * 32]
    names = [budget_name(user) for user in users]
    assert names[0] == "customer.ada"
    assert len(set(names)) == len(users)
    for user in users:
        assert room.ask("POST", "/customer/new", {**ASKED, "user_id": user}).status_code == 200
    assert {one["user_id"] for one in room.ask("GET", "/customer/list").json()} == set(users)


def test_a_budget_by_another_way_is_no_customer(room: Room) -> None:
    ours = {"name": "ours", "amount": "1", "per": "day", "only": {"end_user": ADA}}
    room.ask("POST", "/api/budgets", ours)
    assert room.ask("GET", "/customer/list").json() == []
    assert room.ask("POST", "/customer/delete", {"user_ids": [ADA]}).status_code == 404
    assert [limit.name for limit in room.plans.current.limits] == ["ours"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"user_id": None}, "user_id"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "a\x1fb"}, None),
        ({"max_budget": None}, "max_budget"),
        ({"max_budget": 0}, None),
        ({"max_budget": -1}, None),
        ({"budget_duration": None}, "budget_duration"),
        ({"budget_duration": "soon"}, "budget_duration"),
        ({"rpm_limit": 5}, "rpm_limit"),
        ({"blocked": True}, "blocked"),
        ({"budget_id": "free-tier"}, "budget_id"),
    ],
)
def test_what_cannot_be_done_is_refused_and_named(
    room: Room, changes: dict[str, object], named: str | None
) -> None:
    answer = room.ask("POST", "/customer/new", {**ASKED, **changes})
    assert (answer.status_code, error_code(answer)) == (400, "invalid_request")
    assert answer.json()["error"]["param"] == named
    assert room.plans.current.limits == ()


def test_one_that_is_there_is_updated_and_one_that_is_not_is_made(room: Room) -> None:
    assert room.ask("POST", "/customer/update", ASKED).status_code == 404
    assert room.ask("POST", "/customer/new", ASKED).status_code == 200
    again = room.ask("POST", "/customer/new", ASKED)
    assert (again.status_code, error_code(again)) == (409, "taken")
    both = {"user_ids": [ADA, "nobody"]}
    assert room.ask("POST", "/customer/delete", both).status_code == 404
    assert len(room.plans.current.limits) == 1
