"""`/key/...` for those who come from LiteLLM."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import rig

from tidegate.core import clock
from tidegate.core.key_limits import KeyLimits
from tidegate.stores import keys, rollup
from tidegate.stores.ledger import Ledger
from tidegate.stores.spending import KEPT_S

ASKED = {
    "key_alias": "app",
    "team_id": "growth",
    "models": ["chat"],
    "duration": "30d",
    "max_budget": 12.5,
    "budget_duration": "1mo",
    "rpm_limit": 60,
    "tpm_limit": 90_000,
    "max_parallel_requests": 4,
    "metadata": {"app": "search"},
    "user_id": "u-1",
    "aliases": {},
    "guardrails": None,
}


def test_a_key_is_generated_told_of_updated_listed_and_deleted(room: Room, engine: Engine) -> None:
    made = room.ask("POST", "/key/generate", ASKED).json()
    assert made["key"].startswith("sk-tg-")
    assert made["ignored"] == ["user_id"]
    assert made["max_budget"] == 12.5
    stored = keys.get(engine, made["token"])
    assert stored is not None
    assert stored.limits == KeyLimits(12_500_000_000, "month", None, 60, 90_000, 4)
    assert (stored.team, stored.routes, stored.name) == ("growth", ("chat",), "app")
    assert stored.attributes == {"tier": "free", "app": "search"}
    one = rig.receipt(clock.wall_s(), key_id=made["token"], cost_nanousd=1_500_000_000)
    Ledger(engine).write(rig.entries(one), [])
    for named in (made["key"], made["token"]):
        info = room.ask("GET", f"/key/info?key={named}").json()
        assert info["key"] == made["token"]
        assert info["info"]["spend"] == 1.5
        assert info["info"]["models"] == ["chat"]
        assert made["key"] not in str(info)
    changed = room.ask(
        "POST", "/key/update", {"key": made["key"], "rpm_limit": None, "max_budget": 20}
    ).json()
    assert (changed["rpm_limit"], changed["max_budget"], changed["tpm_limit"]) == (None, 20, 90_000)
    assert changed["models"] == ["chat"]
    listed = room.ask("GET", "/key/list?team_id=growth&return_full_object=true").json()
    assert [one["token"] for one in listed["keys"]] == [made["token"]]
    assert (listed["total_count"], listed["total_pages"]) == (1, 1)
    gone = room.ask("POST", "/key/delete", {"keys": [made["key"]]}).json()
    assert gone["deleted_keys"] == [made["token"]]
    assert room.ask("GET", "/key/list").json()["keys"] == []
    assert room.ask("GET", f"/key/info?key={made['token']}").json()["info"]["blocked"] is True


def test_an_update_is_told_to_gateways(room: Room) -> None:
    made = room.ask("POST", "/key/generate", {}).json()
    before = room.log.newest_seq()
    room.ask("POST", "/key/update", {"key": made["token"], "rpm_limit": 5})
    entries = room.log.entries_after(before)
    assert entries is not None
    assert [getattr(one.body, "key_id", None) for one in entries] == [made["token"]]


def test_no_models_is_every_route_and_pages_follow_one_another(room: Room) -> None:
    made = [room.ask("POST", "/key/generate", {"models": []}).json() for _ in range(3)]
    assert made[0]["models"] == []
    pages = [room.ask("GET", f"/key/list?size=2&page={page}").json() for page in (1, 2)]
    assert pages[0]["total_pages"] == 2
    seen = [one for page in pages for one in page["keys"]]
    assert seen == sorted(one["token"] for one in made)


def test_what_cannot_be_done_is_refused_and_named(room: Room) -> None:
    for body, named in (
        ({"guardrails": ["pii"]}, "guardrails"),
        ({"model_max_budget": {"chat": 5}}, "model_max_budget"),
        ({"key": "sk-mine"}, "key"),
        ({"budget_duration": "1mo"}, "budget_duration"),
        ({"models": ["nowhere"]}, "routes"),
        ({"metadata": {"a": {"b": "c"}}}, None),
        ({"duration": "soon"}, "duration"),
    ):
        answer = room.ask("POST", "/key/generate", body)
        assert (answer.status_code, error_code(answer)) == (400, "invalid_request"), body
        assert answer.json()["error"]["param"] == named
    assert room.ask("POST", "/key/update", {"rpm_limit": 5}).status_code == 400
    assert room.ask("POST", "/key/update", {"key": "nothere1"}).status_code == 404
    assert room.ask("GET", "/key/info?key=nothere1").status_code == 404


def test_a_budget_without_a_duration_is_never_given_anew(room: Room, engine: Engine) -> None:
    made = room.ask("POST", "/key/generate", {"max_budget": 5}).json()
    assert (made["max_budget"], made["budget_duration"]) == (5, None)
    record = keys.get(engine, made["token"])
    assert record is not None
    assert record.limits == KeyLimits(5 * 10**9, "lifetime")
    old = rig.receipt(clock.wall_s() - 500 * 86_400, key_id=record.id, cost_nanousd=2 * 10**9)
    Ledger(engine).write(rig.entries(old), [])
    rollup.fold(engine, clock.wall_s() - KEPT_S)
    info = room.ask("GET", f"/key/info?key={record.id}").json()["info"]
    assert info["spend"] == 2
    monthly = room.ask("POST", "/key/update", {"key": record.id, "budget_duration": "1mo"}).json()
    assert (monthly["max_budget"], monthly["budget_duration"]) == (5, "30d")
    for_good = room.ask("POST", "/key/update", {"key": record.id, "budget_duration": None}).json()
    assert (for_good["max_budget"], for_good["budget_duration"]) == (5, None)


def test_a_key_s_budget_is_raised_for_a_while(room: Room, engine: Engine) -> None:
    made = room.ask("POST", "/key/generate", {"max_budget": 5, "rpm_limit": 60}).json()
    assert "temp_budget_increase" not in made
    more = {"temp_budget_increase": 2.5, "temp_budget_expiry": "10d"}
    changed = room.ask("POST", "/key/update", {"key": made["token"], **more}).json()
    assert (changed["max_budget"], changed["temp_budget_increase"]) == (5, 2.5)
    record = keys.get(engine, made["token"])
    assert record is not None
    assert record.limits is not None
    (raised,) = record.limits.raises
    assert raised.extra == 2_500_000_000
    assert abs(raised.until_s - clock.wall_s() - 10 * 86_400) < 60
    (_, budget) = record.limits.limits()
    assert budget.raises == (raised,)
    kept = room.ask("POST", "/key/update", {"key": made["token"], "rpm_limit": 9}).json()
    assert kept["temp_budget_increase"] == 2.5
    ended = {"key": made["token"], "temp_budget_increase": None}
    assert "temp_budget_increase" not in room.ask("POST", "/key/update", ended).json()
    token = room.make_team("house")
    refused = room.ask("POST", "/key/update", {"key": made["token"], **more}, token=token)
    assert (refused.status_code, error_code(refused)) == (403, "role_too_low")


@pytest.mark.parametrize(
    "asked",
    [
        {"temp_budget_increase": 5},
        {"temp_budget_expiry": "10d"},
        {"temp_budget_increase": 5, "temp_budget_expiry": "10d", "max_budget": None},
        {"temp_budget_increase": 0, "temp_budget_expiry": "10d"},
        {"temp_budget_increase": -5, "temp_budget_expiry": "10d"},
        {"temp_budget_increase": 999_999_999, "temp_budget_expiry": "10d"},
        {"temp_budget_increase": 5, "temp_budget_expiry": "0s"},
        {"temp_budget_increase": 5, "temp_budget_expiry": "soon"},
    ],
)
def test_a_raise_of_nothing_by_nothing_or_for_nothing_is_refused(
    room: Room, asked: dict[str, object]
) -> None:
    made = room.ask("POST", "/key/generate", {"max_budget": 5}).json()
    answer = room.ask("POST", "/key/update", {"key": made["token"], **asked})
    assert (answer.status_code, error_code(answer)) == (400, "invalid_request")


def test_of_several_keys_to_delete_all_or_none_are(room: Room) -> None:
    made = room.ask("POST", "/key/generate", {}).json()
    both = {"keys": [made["token"], "nothere1"]}
    assert room.ask("POST", "/key/delete", both).status_code == 404
    assert room.ask("GET", "/key/list").json()["keys"] == [made["token"]]
