"""Signals over the API: which there are, how one went, whose requests they are made of."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room, error_code
from tests.stores import signal_rig

from tidegate.core import clock
from tidegate.core.bin import Bin
from tidegate.stores import readings, signal_series


def now_minute_s() -> int:
    return int(clock.wall_s() // 60) * 60


def test_every_signal_is_listed_with_its_unit(room: Room, engine: Engine) -> None:
    found = room.ask("GET", "/api/signals").json()
    by_name = {it["name"]: it for it in found["signals"]}
    assert by_name["ttft_p95_s"]["unit"] == "s"
    assert by_name["engine_waiting"]["of"] == "engines"
    assert found["newest_minute_s"] is None
    signal_rig.add(engine, {signal_rig.key(now_minute_s()): signal_rig.one()})
    assert room.ask("GET", "/api/signals").json()["newest_minute_s"] is not None


def test_a_series_is_of_the_window_that_ends_now(room: Room, engine: Engine) -> None:
    signal_rig.add(engine, {signal_rig.key(now_minute_s()): signal_rig.one(requests=60)})
    path = "/api/signals/series?names=request_rate,failed_share&since_s=600&apart=route"
    rate, failed = room.ask("GET", f"{path}&arm=stable").json()["series"]
    assert (rate["name"], rate["scope"], rate["step_s"]) == ("request_rate", "chat", 60)
    assert [rate["points"][-1][1], rate["points"][0][1]] == [1.0, None]
    assert failed["points"][-1][1] == 0
    assert room.ask("GET", f"{path}&route=other").json()["series"] == []


def test_engines_stand_beside_requests(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def read(_: object, query: object) -> list[object]:
        asked.append(query)
        return []

    monkeypatch.setattr(readings, "read", read)
    room.ask("GET", "/api/signals/series?names=engine_waiting&target=small&replica=r0")
    assert [(it.names, it.only) for it in asked] == [
        (("engine_waiting",), {"target": "small", "replica": "r0"})
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("names=ttft_p59_s", "did you mean"),
        ("names=nonsense", "GET /api/signals lists them"),
        ("names=request_rate&apart=colour", "told apart by route"),
    ],
)
def test_what_there_is_not_is_the_caller_s_mistake(room: Room, query: str, told: str) -> None:
    answer = room.ask("GET", f"/api/signals/series?{query}")
    assert answer.status_code == 400
    assert error_code(answer) == "invalid_request"
    assert told in answer.json()["error"]["message"]


def test_too_much_is_the_caller_s_to_narrow(
    room: Room, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal_rig.add(engine, {signal_rig.key(now_minute_s()): signal_rig.one()})
    monkeypatch.setattr(signal_series, "MAX_SERIES", 0)
    answer = room.ask("GET", "/api/signals/series?names=request_rate")
    assert answer.status_code == 400
    assert "ask for fewer signals" in answer.json()["error"]["message"]


def test_whose_requests_they_are(room: Room, engine: Engine) -> None:
    of = Bin(callers={("blue", "acme", "k1"): [3, 1, 50]})
    signal_rig.add(engine, {signal_rig.key(now_minute_s()): of})
    found = room.ask("GET", "/api/signals/top?by=customer").json()
    assert found["shares"] == [{"name": "acme", "requests": 3, "failed": 1, "cost_nanousd": 50}]
    assert room.ask("GET", "/api/signals/top?by=colour").status_code == 400
