"""`/budget/...` for those who come from LiteLLM."""

from tests.control.conftest import Room, error_code

ASKED = {
    "budget_id": "acme",
    "max_budget": 50.5,
    "budget_duration": "30d",
    "only": {"customer": "acme"},
}


def test_a_budget_is_made_told_of_updated_and_deleted(room: Room) -> None:
    made = room.ask("POST", "/budget/new", ASKED).json()
    assert (made["max_budget"], made["soft_budget"], made["budget_duration"]) == (50.5, None, "30d")
    (limit,) = room.plans.current.limits
    assert (limit.amount, limit.only, limit.unit) == (
        *(50_500_000_000, (("customer", "acme"),), "month"),
    )
    changed = room.ask("POST", "/budget/update", {"budget_id": "acme", "soft_budget": 60}).json()
    assert (changed["max_budget"], changed["soft_budget"]) == (None, 60)
    assert room.plans.current.limits[0].on_excess == "alert"
    again = room.ask("POST", "/budget/update", {"budget_id": "acme", "budget_duration": "1mo"})
    assert (again.json()["soft_budget"], again.json()["budget_duration"]) == (60, "30d")
    assert [one["budget_id"] for one in room.ask("GET", "/budget/list").json()] == ["acme"]
    info = room.ask("POST", "/budget/info", {"budgets": ["acme"]}).json()
    assert info[0]["only"] == {"customer": "acme"}
    assert room.ask("POST", "/budget/delete", {"id": "acme"}).json()["deleted"] == "acme"
    assert room.plans.current.limits == ()
    assert room.ask("POST", "/budget/delete", {"id": "acme"}).status_code == 404


def test_what_cannot_be_done_is_refused_and_named(room: Room) -> None:
    for changes, named in (
        ({"budget_id": None}, "budget_id"),
        ({"budget_id": "team.x"}, "budget_id"),
        ({"max_budget": None}, "max_budget"),
        ({"soft_budget": 5}, "max_budget"),
        ({"budget_duration": "fortnight"}, "budget_duration"),
        ({"only": None}, "only"),
        ({"rpm_limit": 5}, "rpm_limit"),
        ({"model_max_budget": {"a": 1}}, "model_max_budget"),
    ):
        answer = room.ask("POST", "/budget/new", {**ASKED, **changes})
        assert (answer.status_code, error_code(answer)) == (400, "invalid_request"), changes
        assert answer.json()["error"]["param"] == named
    update = room.ask("POST", "/budget/update", {"budget_id": "none", "max_budget": 5})
    assert update.status_code == 404


def test_without_a_duration_it_is_never_given_anew(room: Room) -> None:
    asked = {name: value for name, value in ASKED.items() if name != "budget_duration"}
    assert room.ask("POST", "/budget/new", asked).json()["budget_duration"] is None
    assert room.plans.current.limits[0].unit == "lifetime"
    more = room.ask("POST", "/budget/update", {"budget_id": "acme", "max_budget": 60}).json()
    assert (more["max_budget"], more["budget_duration"]) == (60, None)
    monthly = {"budget_id": "acme", "budget_duration": "1mo"}
    assert room.ask("POST", "/budget/update", monthly).json()["budget_duration"] == "30d"
    for_good = {"budget_id": "acme", "budget_duration": None}
    assert room.ask("POST", "/budget/update", for_good).json()["budget_duration"] is None
    of_user = {**asked, "budget_id": "user", "only": {"end_user": "u"}}
    refused = room.ask("POST", "/budget/new", of_user)
    assert (refused.status_code, "as long as receipts are kept" in refused.text) == (422, True)


def test_an_update_leaves_what_litellm_has_no_word_for(room: Room) -> None:
    ours = {"name": "acme", "amount": "5", "per": "month", "only": {"customer": "acme"}}
    zone = {"time_zone": "Asia/Tokyo", "alerts": [80]}
    room.ask("POST", "/api/budgets", {**ours, **zone})
    room.ask("POST", "/budget/update", {"budget_id": "acme", "max_budget": 9})
    (limit,) = room.plans.current.limits
    assert (limit.amount, limit.time_zone, limit.alert_percents) == (9 * 10**9, "Asia/Tokyo", (80,))
    nothing = room.ask("POST", "/budget/update", {"budget_id": "acme", "max_budget": 0})
    assert nothing.status_code == 400
    assert room.plans.current.limits[0].amount == 9 * 10**9
