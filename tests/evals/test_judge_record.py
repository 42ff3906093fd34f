"""What is due of a judge, and by whom what was said is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.evals.judge_room import KIND, lines
from tests.evals.online_room import declared
from tests.stores.judged import calibrated
from tests.stores.rig import NOON_S, migrated

from tidegate.core.declared_quality import DeclaredQuality
from tidegate.evals import judge_record
from tidegate.evals.anchors import anchors_of
from tidegate.evals.calibration import digest_of
from tidegate.evals.judge_asking import Verdict
from tidegate.evals.judge_looks import LOOK, WEEK_S, week_of
from tidegate.evals.judge_record import Work
from tidegate.evals.judge_seats import seats_of
from tidegate.stores import database, judge_scores, judges
from tidegate.stores.judges import Calibrated, Seat

ANCHORS = anchors_of(lines().encode(), "a", pairwise=False)
[SEAT] = seats_of(declared({"chat": DeclaredQuality(KIND, "referee", anchors="a.jsonl")}))
DIGEST = SEAT.digest("m-1")
HELD = Seat(SEAT.id, "referee", "kindness", ("chat",), NOON_S, DIGEST, "m-1")
WEEK = week_of(NOON_S)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = migrated(tmp_path / "ledger.db")
    yield made
    made.dispose()


def due(engine: Engine, row: Calibrated | None, now_s: float = NOON_S) -> Work:
    with database.writing(engine) as connection:
        judges.note_seat(connection, HELD)
        if row is not None:
            judges.keep(connection, row)
    return judge_record.work_of(engine, SEAT, ANCHORS, now_s)


def known(**fields: object) -> Calibrated:
    plain = {"judge": DIGEST, "anchors_digest": digest_of(ANCHORS), "looked_week": WEEK}
    return replace(calibrated(), **{**plain, **fields})


@pytest.mark.parametrize(
    ("row", "later_s", "occasion", "asks"),
    [
        (None, 0, "calibration-1", 400),
        (known(), 0, "", 0),
        (known(), WEEK_S, f"week-{WEEK + 1}", LOOK),
        (known(looked_week=None), 0, f"week-{WEEK}", LOOK),
        (known(looked_week=WEEK + 1), 0, "", 0),
        (known(looked_week=WEEK + 9, looked_at_s=NOON_S + 9 * WEEK_S), 0, f"week-{WEEK}", LOOK),
        (known(is_calibrated=False), WEEK_S, "", 0),
        (known(anchors_digest="x", generation=2), 0, "calibration-2", 400),
        (known(alarm_since_s=NOON_S), WEEK_S, "calibration-2", 400),
        (known(alarm_since_s=NOON_S, is_calibrated=False), WEEK_S, "", 0),
    ],
)
def test_what_is_due(
    engine: Engine, row: Calibrated | None, later_s: float, occasion: str, asks: int
) -> None:
    work = due(engine, row, NOON_S + later_s)
    assert (work.occasion, len(work.asks), work.wanted) == (occasion, asks, asks)


def test_what_was_said_is_kept_by_who_said_it(engine: Engine) -> None:
    work = due(engine, None)
    one, two, three = work.asks[:3]
    said = [
        Verdict(*one, model="m-1", passes=True, score=1.0),
        Verdict(*two, away="timeout"),
        Verdict(*three),  # its provider refused
        Verdict(*one, model="m-2", passes=False),
    ]
    after = judge_record.store(engine, work, said, NOON_S + 1)
    other = SEAT.digest("m-2")
    assert (after.held.judge, after.held.earlier) == (other, DIGEST)
    assert after.held.changed_at_s == NOON_S + 1
    with database.reading(engine) as connection:
        ours = judge_scores.of(connection, DIGEST, "calibration-1")
        theirs = judge_scores.of(connection, other, "calibration-1")
        assert judges.seats(connection)[SEAT.id] == after.held
    assert {(it.anchor, it.passes, it.agrees) for it in ours} == {
        (one[0].key, True, True),
        (three[0].key, None, None),
    }
    assert [(it.passes, it.agrees) for it in theirs] == [(False, False)]


def test_a_look_is_not_a_judge_s_that_was_not_due(engine: Engine) -> None:
    work = due(engine, known(), NOON_S + WEEK_S)
    with database.writing(engine) as connection:
        judges.keep(connection, known(judge=SEAT.digest("m-2")))
    judge_record.store(engine, work, [Verdict(*work.asks[0], model="m-2", passes=True)], NOON_S)
    with database.reading(engine) as connection:
        assert judge_scores.of(connection, SEAT.digest("m-2"), work.occasion) == []
        assert judge_scores.of(connection, SEAT.digest("m-2"), "calibration-1") == []


def test_one_that_was_kept_from_elsewhere_is_looked_at_too(engine: Engine) -> None:
    work = due(engine, known(looked_week=None, reference=None, known=400, agreed=350))
    said = [Verdict(*it, model="m-1", passes=not it[0].labels[0]) for it in work.asks]
    judge_record.store(engine, work, said, NOON_S)
    made = judge_record.conclude(engine, replace(work, asks=[]), NOON_S + 1)
    assert made.reference == pytest.approx(0.16, abs=0.01)
    assert made.alarm.startswith("of its last 50 anchors it judged 0 as people do, where 44 were")
    assert made.alarm_since_s == NOON_S + 1
    assert made.expires_at_s == NOON_S + 1 + judge_record.LASTS_S


def test_a_problem_is_written_where_it_is_news(engine: Engine) -> None:
    def noted(problem: str, at_s: float) -> float:
        judge_record.note_problem(engine, HELD, problem, 7, at_s)
        with database.reading(engine) as connection:
            found = judges.seats(connection)[SEAT.id]
        assert (found.problem, found.to_ask) == (problem, 7)
        return found.at_s

    assert noted("away", NOON_S) == NOON_S
    assert noted("away", NOON_S + 60) == NOON_S
    assert noted("", NOON_S + 61) == NOON_S + 61
    assert noted("", NOON_S + 5000) == NOON_S + 5000
