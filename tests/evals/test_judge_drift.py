"""Judges of live answers in virtual time: calibrated, watched, alarmed, and never by an outage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.evals.judge_room import ANCHORS, CALIBRATION, KIND, JudgeRoom, lines, opened
from tests.evals.online_room import declared
from tests.stores.rig import receipt

from tidegate.core.assessment import assessment_of
from tidegate.core.declared_quality import DeclaredQuality
from tidegate.evals.bridge import Bridge
from tidegate.evals.judge_looks import LOOK, WEEK_S
from tidegate.stores import assessments, database, judges

DRIFTS = "The judge kindness at referee drifts"
INFORMS = "The judge kindness at referee may only inform"
HALF = set(range(0, ANCHORS, 4))  # kappa 0.5


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeRoom]:
    yield from opened(tmp_path, monkeypatch)


def test_a_judge_is_calibrated_once_and_looked_at_weekly(room: JudgeRoom) -> None:
    assert not room.may_decide
    room.work()
    assert room.may_decide
    row, seat = room.row(), room.seat()
    assert (row.kappa, row.known, row.agreed) == (pytest.approx(0.75), 400, 350)
    assert (seat.model, seat.used_by, seat.to_ask) == ("m-1", ("chat", "mail"), 0)
    assert len(room.sitting.asked) == CALIBRATION
    room.job = room.begun()
    room.work()
    assert len(room.sitting.asked) == CALIBRATION
    room.weeks(1)
    assert len(room.sitting.asked) == CALIBRATION + LOOK
    [look] = room.looks()
    assert (look.asked, look.known) == (LOOK, LOOK)
    assert room.told() == [] and room.not_graded() == {}
    named = b'{judge_route="referee",check="kindness"}'
    assert b"tidegate_judge_may_decide%b 1\n" % named in room.job.render()
    assert b"tidegate_judge_kappa%b 0.7500\n" % named in room.job.render()


def test_one_that_stays_as_it_was_is_never_alarmed(room: JudgeRoom) -> None:
    room.work()
    room.weeks(12)
    assert len(room.looks()) == 12
    assert not any(it.is_over for it in room.looks())
    assert room.may_decide


def test_one_that_drifts_is_alarmed_soon_and_calibrated_anew(room: JudgeRoom) -> None:
    room.work()
    room.weeks(3)
    room.sitting.wrong = HALF
    weeks = 0
    while not room.told():
        weeks, room.now_s = weeks + 1, room.now_s + WEEK_S
        room.work(until=lambda wait_s: wait_s > 1 or bool(room.told()))
    assert 1 < weeks < 6
    assert not room.may_decide
    assert room.told() == [DRIFTS]
    assert set(room.not_graded()) == {"chat", "mail"}
    assert room.not_graded()["chat"].startswith("its judge drifts: of its last 50 anchors")
    asked = len(room.sitting.asked)
    room.work()  # it is calibrated anew by itself, and is not good enough
    assert len(room.sitting.asked) == asked + CALIBRATION
    row = room.row()
    assert (row.generation, row.is_calibrated) == (2, False)
    assert "kappa 0.50 is below 0.60" in row.alarm
    assert room.told() == [DRIFTS]
    room.weeks(3)
    assert len(room.sitting.asked) == asked + CALIBRATION
    assert b"tidegate_judge_alarm{" in room.job.render()
    room.sitting.wrong = set()
    room.file.write_text(lines(range(ANCHORS + 2)))  # people have looked at more
    room.work()
    assert room.row().generation == 2
    assert not room.may_decide
    assert room.told() == [DRIFTS]


def test_an_alarm_ends_where_it_is_calibrated_anew_and_may_decide(room: JudgeRoom) -> None:
    room.sitting.wrong = set(range(0, ANCHORS, 40))  # kappa 0.95
    room.work()
    room.sitting.wrong = set(range(0, ANCHORS, 5))  # kappa 0.6
    room.weeks(4)
    over = [it for it in room.looks() if it.is_over]
    assert [it.generation for it in over] == [1]
    row = room.row()
    assert (row.generation, row.alarm_since_s, row.is_calibrated) == (2, None, True)
    assert room.may_decide
    assert room.told() == [] and room.not_graded() == {}
    built = msgspec.json.decode(row.bridge, type=Bridge)
    assert (built.before, built.anchors) == (room.digest, ANCHORS)
    assert built.shift[0] == pytest.approx(0.025)


def test_another_model_is_another_judge_with_a_bridge(room: JudgeRoom) -> None:
    room.work()
    earlier = room.digest
    room.sitting.model, room.sitting.wrong = "m-2", set()
    room.now_s += WEEK_S
    room.work(until=lambda _: room.seat().model == "m-2")
    assert not room.may_decide
    assert room.told() == ["Another judge answers at referee"]
    room.work()
    assert room.may_decide
    seat, row = room.seat(), room.row()
    assert (seat.earlier, seat.changed_at_s) == (earlier, room.now_s)
    built = msgspec.json.decode(row.bridge, type=Bridge)
    assert (built.before, built.anchors, built.kappa) == (earlier, ANCHORS, pytest.approx(0.75))
    assert room.told() == []
    asked = len(room.sitting.asked)
    room.sitting.model = "m-1"  # the one before is known, and nothing is asked twice
    room.weeks(1)
    assert room.seat().model == "m-1"
    assert len(room.sitting.asked) <= asked + 2 * LOOK
    assert room.may_decide


def test_another_rubric_is_another_judge_with_a_bridge_too(room: JudgeRoom) -> None:
    room.work()
    earlier = room.digest
    kinder = KIND.replace('"kind"', '"very kind"')
    changed = {name: quality(room, checks=kinder) for name in ("chat", "mail")}
    room.declared = declared(changed)
    room.work(until=lambda _: bool(room.told()))
    assert room.told() == ["Another judge answers at referee"]
    room.work()
    assert room.may_decide and room.digest != earlier and room.told() == []
    assert (room.seat().earlier, room.seat().changed_at_s) == (earlier, room.now_s)
    assert msgspec.json.decode(room.row().bridge, type=Bridge).before == earlier


def quality(room: JudgeRoom, **fields: Any) -> DeclaredQuality:
    known = room.declared.routes["chat"].quality
    assert known is not None
    return replace(known, **fields)


def test_a_model_that_changed_between_weeks_is_found_by_what_it_graded(room: JudgeRoom) -> None:
    room.work()
    asked = len(room.sitting.asked)
    room.sitting.model = "m-2"
    graded = assessment_of(receipt(room.now_s, route="chat"), "quality", False, room.now_s)
    with database.writing(room.engine) as connection:
        assessments.store(connection, [replace(graded, judge=room.digest)])
    room.sitting.away = "no_target: everything is down"
    room.work()
    assert room.seat().model == "m-1"
    room.sitting.away = None
    room.work(until=lambda _: room.seat().model == "m-2", most=1)
    assert len(room.sitting.asked) == asked + 2
    room.work()
    assert room.may_decide
    assert len(room.sitting.asked) == asked + 1 + CALIBRATION


def test_a_judge_that_gives_no_verdict_any_more_is_alarmed_at_once(room: JudgeRoom) -> None:
    room.work()
    room.sitting.mute = set(range(0, ANCHORS, 3))
    room.weeks(1)
    assert not room.may_decide
    assert room.told() == [DRIFTS]
    assert room.row().alarm.startswith("calibrated anew, it may only inform: of 67 of 200 anchors")


def test_one_that_is_not_good_enough_informs_and_costs_no_more(room: JudgeRoom) -> None:
    room.sitting.wrong = HALF
    room.work()
    assert not room.may_decide
    assert room.told() == [INFORMS]
    assert room.not_graded() == {}
    room.weeks(2)
    assert len(room.sitting.asked) == CALIBRATION


def test_corrected_labels_ask_nothing_and_new_anchors_only_themselves(room: JudgeRoom) -> None:
    room.sitting.wrong = HALF
    room.work()
    text = lines()
    for number in HALF:  # people look again, and agree with the judge
        text = text.replace(
            f'"answer {number}","labels":[true]', f'"answer {number}","labels":[false]'
        )
    room.file.write_text(text)
    room.work()
    assert room.may_decide
    assert room.told() == []
    assert len(room.sitting.asked) == CALIBRATION
    room.file.write_text(text + "\n" + lines(range(ANCHORS, ANCHORS + 10)))
    room.work()
    assert len(room.sitting.asked) == CALIBRATION + 20
    assert room.row().anchors == ANCHORS + 10


def test_what_no_plan_has_any_more_is_left(room: JudgeRoom) -> None:
    room.work()
    kept = room.row()
    room.declared = declared({"chat": quality(room, anchors=None)})
    room.work()
    with database.reading(room.engine) as connection:
        assert judges.seats(connection) == {}
        assert judges.find(connection, kept.judge) == kept
    assert room.job.render() == b""
