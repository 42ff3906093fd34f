"""A key's own limits over our API."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import PLAN, Room, error_code

from tidegate.core.key_limits import KeyLimits
from tidegate.stores import keys


def test_they_are_stored_exactly_and_shown_as_they_were_asked_for(
    room: Room, engine: Engine
) -> None:
    asked = {"budget": "12.000000001", "budget_per": "30d", "requests_per_minute": 60}
    alerting = {**asked, "budget_alerts": [90], "budget_hard": False}
    assert room.make_key(limits=alerting)["record"]["limits"] == alerting
    record = room.make_key(limits=asked)["record"]
    stored = keys.get(engine, record["id"])
    assert stored is not None
    assert stored.limits == KeyLimits(12_000_000_001, None, 2_592_000.0, 60)
    assert record["limits"] == asked
    assert room.make_key(limits={})["record"]["limits"] is None
    rotated = room.ask("POST", f"/api/keys/{record['id']}/rotate", {}).json()["record"]
    assert rotated["limits"] == record["limits"]


@pytest.mark.parametrize(
    "limits",
    [
        {"budget": "5"},
        {"budget_per": "month"},
        {"budget": "0", "budget_per": "month"},
        {"budget": "lots", "budget_per": "month"},
        {"budget": "5", "budget_per": "fortnight"},
        {"budget_alerts": [50]},
        {"budget": "5", "budget_per": "month", "budget_alerts": [80, 50]},
        {"budget": "5", "budget_per": "month", "budget_alerts": [], "budget_hard": False},
        {"requests_per_minute": 0},
        {"colour": 1},
    ],
)
def test_what_is_no_limit_is_refused(room: Room, limits: dict[str, object]) -> None:
    answer = room.ask("POST", "/api/keys", {"name": "a", "limits": limits})
    assert (answer.status_code, error_code(answer)) == (400, "invalid_request")


def test_several_gateway_processes_would_each_allow_the_whole(room: Room) -> None:
    key_id = room.make_key()["record"]["id"]
    several = PLAN.format(route="chat") + "gateway: {processes: 2}\n"
    room.plan_file.write_text(several)
    assert room.ask("POST", "/api/plan/reload").status_code == 200
    asked = {"name": "a", "limits": {"requests_per_minute": 5}}
    no = room.ask("POST", "/api/keys", asked)
    assert (no.status_code, error_code(no)) == (400, "invalid_request")
    assert "`storage.limits`" in no.text
    update = room.ask("POST", "/key/update", {"key": key_id, "rpm_limit": 5})
    assert (update.status_code, error_code(update)) == (400, "invalid_request")
    assert room.ask("POST", "/key/update", {"key": key_id, "key_alias": "b"}).status_code == 200


def test_a_plan_that_raises_the_processes_while_a_key_has_limits_is_refused(room: Room) -> None:
    held = room.make_key(limits={"requests_per_minute": 5})["record"]["id"]
    room.plan_file.write_text(PLAN.format(route="chat") + "gateway: {processes: 2}\n")
    no = room.ask("POST", "/api/plan/reload")
    assert "limits that keys bring with them" in no.text
    assert room.ask("POST", f"/api/keys/{held}/revoke").status_code == 200
    assert "limits that keys bring" not in room.ask("POST", "/api/plan/reload").text


def test_several_gateway_processes_that_count_together_may_be_limited_by_key(room: Room) -> None:
    shared = "gateway: {processes: 2}\nstorage: {limits: {url: 'redis://127.0.0.1:1/0'}}\n"
    room.plan_file.write_text(PLAN.format(route="chat") + shared)
    assert room.ask("POST", "/api/plan/reload").status_code == 200
    assert room.make_key(limits={"requests_per_minute": 5})["record"]["limits"]
