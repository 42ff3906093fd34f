"""Assessments are kept once, counted once, and say what nobody knows as that."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores import rig
from tests.stores.said import NOON_S, recorded

from tidegate.core.assessment import AssessedAs, Assessment, assessment_of
from tidegate.core.deletion import Deletion
from tidegate.core.receipt import Receipt
from tidegate.stores import assessments, captures, database, receipts
from tidegate.stores.assessments import Assessed, Marked, OfRelease

UNIT = (1 << 64) - 3
OF_A_RELEASE = {
    "rollout": "chat/v2",
    "release": "v2",
    "arm": "canary",
    "unit": UNIT,
    "unit_kind": "user",
    "prompt": "support",
    "prompt_version": "v2",
    "customer": "acme",
}


def found(receipt: Receipt, is_bad: bool | None = False, as_: AssessedAs = "quality") -> Assessment:
    return assessment_of(receipt, as_, is_bad, NOON_S + 60)


def store(engine: Engine, *several: Assessment) -> None:
    with database.writing(engine) as connection:
        assessments.store(connection, several)


def unfolded(engine: Engine) -> list[tuple[int, Assessment]]:
    with database.reading(engine) as connection:
        return assessments.unfolded(connection)


def of(**fields: Any) -> Receipt:
    return rig.receipt(NOON_S, **{"key_id": "k", "route": "chat", **fields})


def test_the_first_of_a_request_stands_and_comes_back_whole(engine: Engine) -> None:
    made = found(of(**OF_A_RELEASE), True)
    store(engine, made)
    store(engine, found(of(id=made.receipt_id, **OF_A_RELEASE), False))
    [(_, known)] = unfolded(engine)
    assert known == made
    assert (known.unit, known.rollout, known.is_bad) == (UNIT, "chat/v2", True)


def test_it_is_counted_once(engine: Engine) -> None:
    store(engine, *(found(of(**OF_A_RELEASE)) for _ in range(3)), found(of()))
    waiting = unfolded(engine)
    assert len(waiting) == 3
    with database.writing(engine) as connection:
        assessments.note_folded(connection, [seq for seq, _ in waiting[:2]])
    assert unfolded(engine) == waiting[2:]


def test_what_no_release_counts_waits_for_none(engine: Engine) -> None:
    forced = of(**OF_A_RELEASE, arm_forced=True)
    measured = of(**OF_A_RELEASE, purpose="eval")
    store(engine, found(forced), found(measured))
    assert unfolded(engine) == []


def test_what_nobody_knows_is_neither_good_nor_bad(engine: Engine) -> None:
    for is_bad in (True, False, False, None):
        store(engine, found(of(**OF_A_RELEASE), is_bad))
    with database.reading(engine) as connection:
        [row] = assessments.counted(connection, route="chat", since_s=NOON_S - 1)
        assert assessments.counted(connection, route="other", since_s=NOON_S - 1) == []
        assert assessments.counted(connection, route=None, since_s=NOON_S + 1) == []
    assert row == Assessed("chat", "canary", "v2", "quality", known=3, bad=1, unknown=1)


def test_a_route_is_not_graded_since_it_was_noted_first(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assessments.note_ungraded(connection, "chat", "the judge is away", NOON_S)
        assessments.note_ungraded(connection, "chat", "its money is spent", NOON_S + 9)
        one = assessments.not_graded(connection)["chat"]
        assert (one.since_s, one.why) == (NOON_S, "its money is spent")
        assessments.note_ungraded(connection, "chat", None, NOON_S + 10)
        assert assessments.not_graded(connection) == {}


def test_they_go_with_what_was_said_and_with_time(engine: Engine) -> None:
    store(engine, found(of(**OF_A_RELEASE)), found(of(rollout="chat/v2", customer="other")))
    with database.writing(engine) as connection:
        captures.remove(connection, Deletion(NOON_S + 1, customer="acme"), NOON_S + 1)
    [(_, left)] = unfolded(engine)
    assert left.customer == "other"
    assert assessments.drop_old(engine, NOON_S) == 0
    assert assessments.drop_old(engine, NOON_S + 1) == 1


def test_receipts_are_found_by_their_ids(engine: Engine) -> None:
    one, other = recorded(engine), recorded(engine)
    with database.reading(engine) as connection:
        ids = receipts.by_ids(connection, {one.id, other.id, "none"})
    assert set(ids) == {one.id, other.id}
    assert ids[one.id].route == "chat"


def test_those_that_wait_are_told_by_release_and_left_out_with_it(engine: Engine) -> None:
    store(engine, *(found(of(**OF_A_RELEASE)) for _ in range(3)), found(of()))
    store(engine, found(of(rollout="chat/v3", arm="stable", unit=1)))
    with database.writing(engine) as connection:
        waiting = assessments.waiting(connection)
        assert {name: count for name, (count, _) in waiting.items()} == {"chat/v2": 3, "chat/v3": 1}
        [(newest, _)] = assessments.unfolded(connection, rollout="chat/v3")
        assert waiting["chat/v3"] == (1, newest)
        assessments.leave_out(connection, "chat/v2")
        assert set(assessments.waiting(connection)) == {"chat/v3"}


def test_what_another_has_marked_is_not_marked_again(engine: Engine) -> None:
    store(engine, *(found(of(**OF_A_RELEASE)) for _ in range(2)))
    numbers = [seq for seq, _ in unfolded(engine)]
    with database.writing(engine) as connection:
        assessments.note_folded(connection, numbers[:1])
    with pytest.raises(Marked), database.writing(engine) as connection:
        assessments.note_folded(connection, numbers)
    assert [seq for seq, _ in unfolded(engine)] == numbers[1:]


def test_what_was_counted_of_units_is_known_by_arm_and_weight(engine: Engine) -> None:
    whose = OfRelease("chat/v2", "quality", NOON_S + 10, NOON_S + 20)
    later = replace(found(of(**{**OF_A_RELEASE, "unit": 0}), True), started_at_s=NOON_S + 15)
    store(engine, found(of(**OF_A_RELEASE), True), found(of(**OF_A_RELEASE)), later)
    store(engine, found(of(**OF_A_RELEASE), None), found(of(**OF_A_RELEASE), True, "follow_up"))
    with database.writing(engine) as connection:
        assert assessments.of_units(connection, whose, {UNIT, 0}) == []
        assessments.leave_out(connection, "chat/v2")
        known = assessments.of_units(connection, whose, {UNIT, 0, 5})
    assert sorted(known) == [("canary", 0, 1, 1, True), ("canary", UNIT, 2, 1, False)]
