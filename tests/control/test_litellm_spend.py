"""`/spend/...` for those who come from LiteLLM."""

from typing import Any

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import rig

from tidegate.control import litellm_spend
from tidegate.core import clock
from tidegate.stores.ledger import Ledger

# 2026-03-10, 12:00 UTC.
NOON_S = 1_773_144_000.0
DAY_S = 86_400.0


def test_keys_by_what_they_spent(room: Room, engine: Engine) -> None:
    key_id = room.make_key(name="app", team="growth")["record"]["id"]
    rows = [
        rig.receipt(clock.wall_s(), key_id=key, cost_nanousd=cost)
        for key, cost in ((key_id, 2_500_000_000), ("gone0000", 1_000_000_000))
    ]
    Ledger(engine).write(rig.entries(*rows), [])
    assert room.ask("GET", "/spend/keys?limit=5").json() == [
        {"token": key_id, "spend": 2.5, "key_alias": "app", "team_id": "growth"},
        {"token": "gone0000", "spend": 1.0},
    ]


@pytest.fixture
def spent(room: Room, engine: Engine) -> Room:
    growth = {"key_id": "aaaa0000", "team": "growth", "model_wanted": "small"}
    rows = [
        rig.receipt(NOON_S, **growth, cost_nanousd=10**9, end_user="u"),
        rig.receipt(NOON_S + 60, **growth, cost_nanousd=2 * 10**9),
        rig.receipt(NOON_S + DAY_S, key_id="bbbb0000", team="search", cost_nanousd=4 * 10**9),
        rig.receipt(NOON_S + 2 * DAY_S, key_id="bbbb0000", team="search", cost_nanousd=None),
    ]
    Ledger(engine).write(rig.entries(*rows), [])
    return room


def test_a_gateway_s_own_probes_are_nobody_s_spending(spent: Room, engine: Engine) -> None:
    probe = rig.receipt(NOON_S, key_id=None, team=None, purpose="probe", cost_nanousd=10**9)
    Ledger(engine).write(rig.entries(probe), [])
    assert len(spent.ask("GET", "/spend/logs").json()) == 4
    assert spent.ask("GET", f"/spend/logs?request_id={probe.id}").json() == []


def spends(rows: list[dict[str, Any]]) -> list[float | None]:
    return [row["spend"] for row in rows]


def test_a_request_in_litellm_s_words(spent: Room, engine: Engine) -> None:
    (row,) = spent.ask("GET", "/spend/logs?user_id=u").json()
    assert row["startTime"] == "2026-03-10T12:00:00+00:00"
    assert (row["api_key"], row["team_id"], row["spend"]) == ("aaaa0000", "growth", 1)
    assert row["end_user"] == row["user"] == "u"
    assert (row["call_type"], row["status"]) == ("acompletion", "success")
    assert row["total_tokens"] == row["prompt_tokens"] + row["completion_tokens"]
    found = spent.ask("GET", f"/spend/logs?request_id={row['request_id']}").json()
    assert found == [row]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [None, 4, 2, 1]),
        ("api_key=aaaa0000", [2, 1]),
        ("api_key=sk-tg-aaaa0000_" + "x" * 32, [2, 1]),
        ("team_id=search", [None, 4]),
        ("end_user=u", [1]),
        ("team_id=search&api_key=aaaa0000", []),
        ("start_date=2026-03-11", [None, 4]),
        ("end_date=2026-03-10", [2, 1]),
        ("start_date=2026-03-10 12:00:30&end_date=2026-03-11", [4, 2]),
        ("end_date=2026-03-10 12:00:59", [1]),
        ("request_id=none", []),
    ],
)
def test_filters_are_all_obeyed_newest_first(
    spent: Room, query: str, found: list[float | None]
) -> None:
    assert spends(spent.ask("GET", f"/spend/logs?summarize=false&{query}").json()) == found
    paged = spent.ask("GET", f"/spend/logs/v2?{query}").json()
    assert (spends(paged["data"]), paged["total"]) == (found, len(found))


def test_pages_follow_one_another(spent: Room) -> None:
    pages = [spent.ask("GET", f"/spend/logs/v2?page_size=3&page={n}").json() for n in (1, 2, 3)]
    assert [spends(page["data"]) for page in pages] == [[None, 4, 2], [1], []]
    assert {(page["total"], page["total_pages"], page["page_size"]) for page in pages} == {
        (4, 2, 3)
    }
    assert spends(spent.ask("GET", "/spend/logs?page_size=1&page=2").json()) == [4]


def test_between_two_dates_it_is_summed_up_by_day(spent: Room) -> None:
    days = spent.ask("GET", "/spend/logs?start_date=2026-03-10&end_date=2026-03-12").json()
    first, second, third = days
    assert (first["startTime"], first["spend"], first["aaaa0000"]) == ("2026-03-10", 3, 3)
    assert first["users"] == {"u": 1}
    assert first["models"] == {"small": 3}
    assert (second["spend"], second["bbbb0000"]) == (4, 4)
    assert third == {"startTime": "2026-03-12", "users": {}, "models": {}, "spend": 0}


def test_a_lead_sees_the_team_s_and_nothing_else(spent: Room) -> None:
    token = spent.make_team("growth")
    other = spent.ask("GET", "/spend/logs?team_id=search").json()[0]["request_id"]
    assert spends(spent.ask("GET", "/spend/logs", token=token).json()) == [2, 1]
    assert spent.ask("GET", "/spend/logs/v2", token=token).json()["total"] == 2
    for query in ("api_key=bbbb0000", f"request_id={other}"):
        assert spent.ask("GET", f"/spend/logs?{query}", token=token).json() == []
    sums = "/spend/logs?start_date=2026-03-10&end_date=2026-03-11"
    assert spends(spent.ask("GET", sums, token=token).json()) == [3, 0]
    refused = spent.ask("GET", "/spend/logs?team_id=search", token=token)
    assert (refused.status_code, error_code(refused)) == (403, "role_too_low")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("start_date=yesterday", "start_date"),
        ("end_date=2026-02-30", "end_date"),
        ("start_date=2026-03-10&end_date=2026-03-09", "end_date"),
        ("start_date=2020-01-01&end_date=2026-03-09", "end_date"),
        ("user_id=a&end_user=b", "user_id"),
        ("page=0", None),
        ("page_size=100000", None),
        ("model=x", None),
    ],
)
def test_what_cannot_be_asked_is_refused(spent: Room, query: str, named: str | None) -> None:
    answer = spent.ask("GET", f"/spend/logs?{query}")
    assert (answer.status_code, error_code(answer)) == (400, "invalid_request")
    assert answer.json()["error"]["param"] == named


def test_more_than_can_be_summed_up_at_once_is_said(
    spent: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_spend.receipts, "costs", lambda engine, which: None)
    answer = spent.ask("GET", "/spend/logs?start_date=2026-03-10&end_date=2026-03-12")
    assert (answer.status_code, "ask for less" in answer.text) == (400, True)
