"""Friction is of conversations, and what nobody knows is neither friction nor none."""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores import rig
from tests.stores.said import NOON_S

from tidegate.core.assessment import assessment_of
from tidegate.core.receipt import Receipt
from tidegate.stores import assessments, database, friction
from tidegate.stores.friction import Abandoned, Friction
from tidegate.stores.ledger import Ledger

CANARY = {"arm": "canary", "prompt_version": "v2"}


def receipt(at_s: float = 0.0, **fields: Any) -> Receipt:
    return rig.receipt(NOON_S + at_s, **{"key_id": "k", "route": "chat", **fields})


def follow(engine: Engine, conversation: str | None, *found: bool | None, **fields: Any) -> None:
    several = [
        replace(
            assessment_of(receipt(**fields), "follow_up", it, NOON_S), conversation=conversation
        )
        for it in found
    ]
    with database.writing(engine) as connection:
        assessments.store(connection, several)


def of_conversations(engine: Engine, **which: Any) -> list[Friction]:
    with database.reading(engine) as connection:
        return friction.friction(connection, **{"route": None, "since_s": NOON_S, **which})


def left(engine: Engine, **which: Any) -> list[Abandoned]:
    with database.reading(engine) as connection:
        return friction.abandoned(connection, **{"route": None, "since_s": NOON_S, **which})


def test_a_conversation_has_friction_where_a_turn_had_to_be_asked_again(engine: Engine) -> None:
    follow(engine, "a", False, True, True, **CANARY)
    follow(engine, "b", False, None, **CANARY)
    follow(engine, "c", None, **CANARY)
    follow(engine, "a", False, arm="stable", prompt_version="v1")
    follow(engine, None, True, **CANARY)
    follow(engine, "d", True, route="other")
    assert of_conversations(engine, route="chat") == [
        Friction("chat", "canary", "v2", 2, 1, 1, turns=4, bad_turns=2),
        Friction("chat", "stable", "v1", 1, 0, 0, turns=1, bad_turns=0),
    ]
    assert len(of_conversations(engine)) == 3
    assert of_conversations(engine, since_s=NOON_S + 1) == []


def test_other_findings_are_no_follow_ups(engine: Engine) -> None:
    made = assessment_of(receipt(), "quality", True, NOON_S)
    with database.writing(engine) as connection:
        assessments.store(connection, [replace(made, conversation="a")])
    assert of_conversations(engine) == []


def test_whoever_left_before_the_end_has_abandoned_the_answer(engine: Engine) -> None:
    gone = {"cancelled_by": "client", "error_code": "client_closed"}
    several = [
        receipt(0, **CANARY),
        receipt(1, **CANARY, **gone),
        receipt(2, **CANARY, error_code="upstream_error", error_fault="provider"),
        receipt(3, purpose="eval", **gone),
        receipt(4, shadow_of="x", arm="shadow"),
        receipt(5, route="other", **gone),
    ]
    Ledger(engine).write(rig.entries(*several), [])
    assert left(engine, route="chat") == [Abandoned("chat", "canary", "v2", 2, 1, NOON_S)]
    assert [it.route for it in left(engine)] == ["chat", "other"]
    assert left(engine, scan_rows=1) == [Abandoned("other", None, None, 1, 1, NOON_S + 5)]
    assert left(engine, since_s=NOON_S + 6) == []
