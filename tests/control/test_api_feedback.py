"""Feedback over the control API."""

from msgspec.structs import replace
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.test_api_captured import told
from tests.stores.said import feedback, recorded

from tidegate.core import clock
from tidegate.core.assessment import assessment_of
from tidegate.stores import assessments, database
from tidegate.stores import feedback as feedback_of


def hear(engine: Engine) -> str:
    receipt, now_s = recorded(engine, arm="canary", prompt_version="v2"), clock.wall_s()
    with database.writing(engine) as connection:
        feedback_of.store(
            connection,
            [
                feedback(receipt, rating=-1.0, at_s=now_s),
                feedback(receipt, "comment", comment="wrong", at_s=now_s),
            ],
        )
    return receipt.id


def test_it_is_listed_and_reading_comments_is_told(room: Room, engine: Engine) -> None:
    receipt_id = hear(engine)
    rated = room.ask("GET", "/api/feedback?rated=down").json()["feedback"]
    assert [(it["receipt_id"], it["rating"], it["arm"]) for it in rated] == [
        (receipt_id, -1.0, "canary")
    ]
    assert told(engine) == []
    every = room.ask("GET", "/api/feedback?since_s=600").json()["feedback"]
    assert {it["kind"] for it in every} == {"rating", "comment"}
    assert told(engine) == ["1 comments of feedback"]


def test_rates_are_by_arm_and_version(room: Room, engine: Engine) -> None:
    hear(engine)
    [rate] = room.ask("GET", "/api/feedback/rates?route=chat").json()["rates"]
    assert rate["down"]["share"] == 1 and rate["down"]["low"] < 0.5
    assert rate["found"] == {
        "route": "chat",
        "arm": "canary",
        "prompt_version": "v2",
        "rated": 1,
        "down": 1,
        "regenerated": 0,
        "cache_tier": None,
    }
    nothing = {"rates": [], "friction": [], "abandoned": []}
    assert room.ask("GET", "/api/feedback/rates?route=other").json() == nothing


def test_what_users_did_next_stands_beside(room: Room, engine: Engine) -> None:
    left = recorded(engine, cancelled_by="client", error_code="client_closed")
    made = assessment_of(left, "follow_up", True, clock.wall_s())
    with database.writing(engine) as connection:
        assessments.store(connection, [replace(made, conversation="c")])
    found = room.ask("GET", "/api/feedback/rates").json()
    [friction], [abandoned] = found["friction"], found["abandoned"]
    assert (friction["found"]["with_friction"], friction["friction"]["share"]) == (1, 1)
    assert (abandoned["found"]["left"], abandoned["abandoned"]["share"]) == (1, 1)
