"""Objectives over the API: how they stand, what is behind them, reviews, rules."""

from typing import Any

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import rig
from tests.stores.changed import change
from tests.stores.signal_rig import add, key, one

from tidegate.core import clock
from tidegate.stores import changes, database
from tidegate.stores.ledger import Ledger

PLAN = """\
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  small: {provider: mine, model: small, price: free}
routes:
  chat: {target: small, slo: chat}
  acme/rag: {target: small, slo: {availability: 99.5%, error_budget: {owner: eve}}}
  bare: small
"""


def planned(room: Room) -> Room:
    room.plan_file.write_text(PLAN)
    assert room.ask("POST", "/api/plan/reload").status_code == 200
    return room


def burn(engine: Engine, *, good: int = 990, bad: int = 10) -> None:
    minute_s = int(clock.wall_s() // 60 * 60)
    add(engine, {key(minute_s): one(availability_good=good, availability_bad=bad)})


def routes(room: Room, query: str = "") -> list[Any]:
    found: list[Any] = room.ask("GET", f"/api/slo{query}").json()["routes"]
    return found


def test_every_route_with_objectives_stands_by_name(room: Room) -> None:
    rag, chat = routes(planned(room))
    assert (rag["route"], rag["preset"], rag["owner"]) == ("acme/rag", None, "eve")
    assert (chat["route"], chat["preset"], chat["state"]) == ("chat", "chat", "normal")
    assert [one["sli"] for one in rag["objectives"]] == ["availability"]
    [objective] = rag["objectives"]
    assert (objective["target_percent"], objective["left"]) == (99.5, None)
    fast = objective["tiers"][0]
    assert (fast["long_s"], fast["short_s"], fast["fires"]) == (3600, 300, False)
    assert [one["route"] for one in routes(room, "?route=acme/rag")] == ["acme/rag"]


def test_a_burn_is_seen_with_what_it_comes_to(room: Room, engine: Engine) -> None:
    burn(engine, good=990, bad=100)
    chat = routes(planned(room), "?route=chat")[0]
    availability = next(one for one in chat["objectives"] if one["sli"] == "availability")
    assert (availability["judged"], availability["bad"]) == (1090, 100)
    assert (availability["told"], availability["state"], chat["state"]) == (
        *("page", "normal", "restricted"),
    )
    assert availability["tiers"][0]["fires"] is True
    assert chat["why"] == "availability burns its error budget too fast (fast, medium)"


def test_a_burn_is_explained_by_receipts(room: Room, engine: Engine) -> None:
    burn(engine)
    now_s = clock.wall_s()
    failed = {"error_code": "upstream_timeout", "error_fault": "provider", "route": "chat"}
    receipts = [rig.receipt(now_s - at, route="chat", target="small") for at in range(1, 9)]
    receipts += [rig.receipt(now_s - at, target="small", **failed) for at in range(10, 14)]
    Ledger(engine).write(rig.entries(*receipts), [])
    found = planned(room).ask("GET", "/api/slo/explain?route=chat&objective=availability").json()
    [objective] = found["objectives"]
    assert (objective["judged"], objective["bad"], objective["fires"]) == (12, 4, True)
    [cause] = objective["causes"]
    assert (cause["name"], cause["target"]) == ("provider", "small")
    assert (cause["detail"], cause["share"]) == ("upstream_timeout", 1.0)
    every = room.ask("GET", "/api/slo/explain?route=chat").json()["objectives"]
    assert {"availability", "ttft"} <= {one["sli"] for one in every}


def test_what_was_changed_while_it_burned_stands_beside_it(room: Room, engine: Engine) -> None:
    burn(engine, good=990, bad=100)
    planned(room)
    now_s = clock.wall_s()
    with database.writing(engine) as connection:
        for change_id, hours in (("old", 75), ("new", 71)):
            at_s = now_s - 3600 * hours + 60
            held = change(change_id, reason=change_id, from_s=at_s, until_s=at_s + 90 * 3600)
            changes.hold(connection, held)
    found = room.ask("GET", "/api/slo/explain?route=chat").json()
    # The longest of its alerts looks at three days.
    assert now_s - found["happened_since_s"] == pytest.approx(72 * 3600, abs=60)
    told = [(one["kind"], one["who"], one["what"]) for one in found["happened"]]
    assert ("change", "operator:ann", "set to 1: new") in told
    assert ("plan", "operator", "new routes acme/rag, bare") in told
    assert not any("old" in what for _, _, what in told)


def test_where_nothing_burns_the_last_hour_s_changes_are_told(room: Room, engine: Engine) -> None:
    found = planned(room).ask("GET", "/api/slo/explain?route=acme/rag").json()
    assert clock.wall_s() - found["happened_since_s"] == pytest.approx(3600, abs=60)


def test_what_is_asked_of_a_route_without_objectives_is_refused(room: Room) -> None:
    planned(room)
    for path in ("/api/slo?route=bare", "/api/slo/explain?route=chatt"):
        answer = room.ask("GET", path)
        assert (answer.status_code, error_code(answer)) == (404, "not_found")
    assert "chat" in answer.json()["error"]["message"]
    answer = room.ask("GET", "/api/slo/explain?route=chat&objective=speed")
    assert (answer.status_code, error_code(answer)) == (400, "invalid_request")


def test_a_review_is_kept_with_its_author(room: Room, engine: Engine) -> None:
    body = {"route": "chat", "postmortem": "https://wiki/1", "follow_up": "two replicas"}
    answer = planned(room).ask("POST", "/api/slo/reviews", body)
    assert answer.status_code == 201
    assert answer.json()["route"] == "chat" and answer.json()["author"]
    with database.reading(engine) as connection:
        audited = connection.exec_driver_sql("SELECT what, subject FROM audit").fetchall()
    assert ("slo.review", "chat") in [tuple(row) for row in audited]
    wrong = room.ask("POST", "/api/slo/reviews", {**body, "route": "bare"})
    assert error_code(wrong) == "not_found"


def test_rules_are_exported(room: Room) -> None:
    planned(room)
    rules = room.ask("GET", "/api/slo/export").json()["text"]
    assert 'tidegate_slo_bad_requests_total{route="acme/rag", sli="availability"}' in rules
    routes = room.ask("GET", "/api/slo/export?what=alertmanager").json()["text"]
    assert 'owner=\\"eve\\"' in routes
