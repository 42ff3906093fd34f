"""Targets over the API: their probes, and what gateways report of them."""

import pytest
from tests.control.conftest import Room

from tidegate.control.feed_connection import GatewayState

PLAN = """\
providers:
  mine: {kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}
targets:
  small: {provider: mine, model: s, price: free, probe: {every_s: 30s, usd_per_hour: 0.2}}
  large: {provider: mine, model: l, price: free}
routes:
  chat: {target: small, fallbacks: {unavailable: [large]}}
"""


def state(name: str, **gauges: float) -> GatewayState:
    found = {
        "tidegate_target_in_flight|target=small": 2.0,
        "tidegate_target_left_alone|target=small": 1.0,
        "tidegate_connections": 9.0,
    }
    told = {f"{key}|target=small": value for key, value in gauges.items()}
    return GatewayState(name, 1, 0.0, gauges={**found, **told})


def test_what_no_gateway_has_told_is_unknown(room: Room) -> None:
    room.plan_file.write_text(PLAN)
    assert room.ask("POST", "/api/plan/reload").status_code == 200
    found = room.ask("GET", "/api/targets").json()
    assert found["gateways"] == 0
    large, small = found["targets"]
    assert (large["name"], large["probe"], large["routes"]) == ("large", None, ["chat"])
    assert small["probe"] == {
        "every_s": 30.0,
        "timeout_s": 10.0,
        "endpoint": "chat",
        "usd_per_hour": "0.2",
    }
    assert small["in_flight"] is small["availability"] is small["last_good_at_s"] is None
    assert small["parts_probed"] == 0


def test_what_gateways_tell_is_put_together(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.plan_file.write_text(PLAN)
    assert room.ask("POST", "/api/plan/reload").status_code == 200
    one = state("gateway-0", tidegate_probe_availability=0.5, tidegate_probe_ttft_seconds=0.2)
    two = state("gateway-1", tidegate_probe_availability=1.0)
    for number, (it, up) in enumerate(((one, 1.0), (two, 0.0), (two, 1.0))):
        it.gauges[f"tidegate_probe_up|target=small|replica=r{number}|credential="] = up
    at = "tidegate_probe_last_success_timestamp_seconds|target=small"
    one.gauges[at], two.gauges[at] = 100.0, 200.0
    monkeypatch.setattr(room.feed, "gateways", lambda: [one, two])
    found = room.ask("GET", "/api/targets").json()
    _, small = found["targets"]
    assert found["gateways"] == 2
    assert (small["in_flight"], small["left_alone"]) == (4, 2)
    assert (small["parts_probed"], small["parts_up"]) == (3, 2)
    assert (small["availability"], small["last_good_at_s"]) == (0.5, 200.0)
    assert small["ttft_s"] == 0.2


@pytest.mark.parametrize(
    ("ready", "said"), [([], None), ([1.0, 1.0], "ready"), ([1.0, 0.0], "missing")], ids=range(3)
)
def test_an_identity_without_a_token_is_told_of(
    room: Room, monkeypatch: pytest.MonkeyPatch, ready: list[float], said: str | None
) -> None:
    plan = PLAN.replace("api_key: none}", "identity: {google: {}}}")
    room.plan_file.write_text(plan)
    assert room.ask("POST", "/api/plan/reload").status_code == 200
    states = [state(f"gateway-{number}") for number in range(2)]
    for it, value in zip(states, ready, strict=False):
        it.gauges["tidegate_identity_ready|provider=mine"] = value
    monkeypatch.setattr(room.feed, "gateways", lambda: states)
    found = room.ask("GET", "/api/targets").json()["targets"]
    assert [it["credential"] for it in found] == [said, said]
