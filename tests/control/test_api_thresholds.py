"""Thresholds over the control API: what is learnt is borne out, obeyed at once, and forgotten."""

from typing import Any

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room

from tidegate.core.cache import SemanticCache
from tidegate.core.layout import Layout

PLAN = """\
providers:
  mine: {{kind: openai_compatible, base_url: "http://127.0.0.1:9/v1", api_key: none}}
targets:
  small: {{provider: mine, model: small, price: free}}
routes:
  plain: small
  chat:
    target: small
    cache: {{semantic: {semantic}}}
"""


@pytest.fixture
def room(layout: Layout, engine: Engine) -> Room:
    room = Room(layout, engine, layout.state.parent / "tidegate.yaml")
    declare(room)
    return room


def declare(room: Room, semantic: str = "{mode: on}") -> None:
    room.plan_file.write_text(PLAN.format(semantic=semantic))
    room.plans._reload("api")


def learn(room: Room, route: str = "chat", **given: Any) -> tuple[int, Any]:
    body = {
        "threshold": 0.94,
        "target": 0.95,
        "encoder": "minilm",
        "encoder_version": "m-1",
        "veto_version": "1",
        "pairs": 400,
        "taken": 126,
        "same": 124,
        "all_same": 150,
        "source": "pairs.jsonl",
        "reason": "a test",
    }
    answer = room.ask("POST", f"/api/cache/thresholds/{route}", {**body, **given})
    return answer.status_code, answer.json()


def tier(room: Room) -> SemanticCache:
    cache = room.plans.current.routes["chat"].cache
    assert cache is not None
    assert cache.semantic is not None
    return cache.semantic


def listed(room: Room) -> dict[str, Any]:
    [view] = room.ask("GET", "/api/cache/thresholds").json()["thresholds"]
    return view


def test_what_is_learnt_is_obeyed_until_it_is_forgotten(room: Room) -> None:
    assert tier(room).threshold is None
    assert listed(room)["threshold"] is None
    status, made = learn(room)
    assert (status, made["view"]["threshold"], made["waiting_for"]) == (200, 0.94, [])
    assert (tier(room).threshold, tier(room).learnt_with) == (0.94, "m-1 veto-1")
    room.plans._reload("api")
    assert tier(room).threshold == 0.94
    view = listed(room)
    assert (view["learnt"]["reason"], view["written"], view["why_not"]) == ("a test", False, None)
    forgotten = room.ask("POST", "/api/cache/thresholds/chat/forget", {"reason": "no good"})
    assert forgotten.json()["view"]["threshold"] is None
    assert tier(room).threshold is None


@pytest.mark.parametrize(
    ("semantic", "said"),
    [
        ("{encoder: static}", "with the encoder minilm"),
        ("{target: 0.99}", "for a precision of 0.95"),
        ("{threshold: 0.8}", "written in the plan file"),
    ],
    ids=["encoder", "target", "written"],
)
def test_a_plan_that_wants_something_else_does_not_obey_it(
    room: Room, semantic: str, said: str
) -> None:
    learn(room)
    declare(room, semantic)
    assert tier(room).threshold in (None, 0.8)
    assert tier(room).learnt_with is None
    assert said in listed(room)["why_not"]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"same": 118, "taken": 126}, "same"),
        ({"same": 130}, "taken"),
        ({"taken": 500, "same": 500}, "taken"),
        ({"encoder": "static"}, "encoder"),
        ({"target": 0.9}, "target"),
        ({"threshold": 2}, "threshold"),
    ],
    ids=["unborne", "more than taken", "more than pairs", "encoder", "target", "no cosine"],
)
def test_what_its_own_figures_do_not_bear_out_is_refused(
    room: Room, given: dict[str, Any], param: str
) -> None:
    status, said = learn(room, **given)
    assert status == 400
    assert param in str(said)
    assert tier(room).threshold is None


def test_a_route_without_the_tier_has_nothing_to_learn(room: Room) -> None:
    assert learn(room, "plain")[0] == 404
    status, said = learn(room, "chart")
    assert status == 404
    assert "chat" in said["error"]["message"]
