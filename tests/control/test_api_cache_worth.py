"""The worth of caches over the control API: everything for viewers, their own for teams."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.worth_room import Hands
from tests.controllers.cached import BAD, GOOD
from tests.stores import rig as stores

from tidegate.stores.ledger import Ledger


@pytest.fixture
def hands(room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(room, engine, monkeypatch)


def test_a_row_for_each_tier_and_its_state(hands: Hands) -> None:
    hands.tick()
    hands.pass_s(600.0)
    hands.serve(BAD)
    hands.tick()
    page = hands.room.ask("GET", "/api/cache/worth").json()
    [row] = page["tiers"]
    assert (row["route"], row["tier"], row["advice"]) == ("faq", "exact", "does not pay")
    assert (row["lookups"], row["hits"], row["hit_rate"]) == (7200, 360, 0.05)
    assert row["hit_p50_s"] == pytest.approx(0.001, rel=0.03)
    assert row["miss_p50_s"] == pytest.approx(0.013, rel=0.03)
    assert row["both"]["low"] < row["both"]["value"] < row["both"]["high"] < 0
    assert row["saved_usd"] == pytest.approx(72 * 6000 / 1e9)
    assert (row["state"], "quality" in row) == ("off", False)


def test_of_one_route_and_of_prefix_caches_too(hands: Hands) -> None:
    hands.serve(GOOD)
    told = {"model_served": "m", "cache_read_tokens": 300, "prefix_saved_nanousd": 7}
    made = stores.receipt(hands.now_s - 60, route="chat", **told)
    Ledger(hands.engine).write(stores.entries(made), [])
    page = hands.room.ask("GET", "/api/cache/worth").json()
    assert [(it["route"], it["tier"]) for it in page["tiers"]] == [
        ("chat", "prefix"),
        ("faq", "exact"),
    ]
    prefix, exact = page["tiers"]
    assert (prefix["advice"], prefix["saved_usd"]) == ("pays", pytest.approx(7e-9))
    assert exact["advice"] == "pays"
    [only] = hands.room.ask("GET", "/api/cache/worth?route=faq").json()["tiers"]
    assert only["tier"] == "exact"


def test_a_team_sees_what_is_its_own(hands: Hands) -> None:
    red = hands.room.make_team("red")
    hands.serve(GOOD, team="red")
    hands.pass_s(-72 * 300 - 120.0)
    hands.serve(BAD, team="blue")
    [whole] = hands.room.ask("GET", "/api/cache/worth").json()["tiers"]
    [mine] = hands.room.ask("GET", "/api/cache/worth", token=red).json()["tiers"]
    assert (whole["lookups"], mine["lookups"]) == (14_400, 7200)
    assert "quality" not in mine and "state" not in mine


def test_nobody_asks_without_a_token(hands: Hands) -> None:
    assert hands.room.ask("GET", "/api/cache/worth", token=None).status_code == 401
