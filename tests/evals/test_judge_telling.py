"""What is told of judges is told once, ends, and holds nothing that was said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection
from tests.stores.judged import calibrated, seat
from tests.stores.rig import NOON_S, migrated

from tidegate.evals import judge_telling
from tidegate.evals.judge_looks import Agreed
from tidegate.stores import assessments, database, judges, notices


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = migrated(tmp_path / "ledger.db")
    with database.writing(engine) as found:
        yield found
    engine.dispose()


def told(connection: Connection) -> list[str]:
    return sorted(it.title for it in notices.recent(connection, only_open=True))


def test_a_change_is_told_until_whoever_answers_is_calibrated(connection: Connection) -> None:
    judge_telling.changed(connection, seat(), NOON_S)
    judge_telling.changed(connection, seat(), NOON_S)
    assert told(connection) == ["Another judge answers at referee"]
    judge_telling.concluded(connection, seat(), calibrated(is_calibrated=False), NOON_S)
    assert len(told(connection)) == 2
    judge_telling.concluded(connection, seat(), calibrated(), NOON_S)
    assert told(connection) == []


def test_routes_wait_while_there_is_an_alarm(connection: Connection) -> None:
    row = calibrated(alarm_since_s=NOON_S, alarm="it fell")
    judges.note_seat(connection, seat(used_by=("chat", "mail")))
    judges.keep(connection, row)
    assessments.note_ungraded(connection, "mail", "the judge is away", NOON_S)
    assessments.note_ungraded(connection, "other", "the judge is away", NOON_S)
    judge_telling.concluded(connection, seat(), row, NOON_S)
    waiting = {it: one.why for it, one in assessments.not_graded(connection).items()}
    drifts = "its judge drifts: it fell"
    assert waiting == {"chat": drifts, "mail": "the judge is away", "other": "the judge is away"}
    judges.keep(connection, replace(row, alarm_since_s=None))
    judge_telling.concluded(connection, seat(), calibrated(), NOON_S)
    assert judges.alarmed(connection) == {}
    assert told(connection) == []


def test_anchors_that_cannot_be_read_are_told_until_they_can(connection: Connection) -> None:
    judge_telling.unreadable(connection, seat(), "a.jsonl:3: no", NOON_S)
    [one] = notices.recent(connection)
    assert one.text == "a.jsonl:3: no. What was found before stands."
    assert one.topic == "judge"
    judge_telling.unreadable(connection, seat(), None, NOON_S)
    assert told(connection) == []


def test_why_is_in_figures() -> None:
    row = calibrated(known=400, agreed=350)
    said = judge_telling.why(Agreed(50, 48, 30), row)
    assert said.startswith("of its last 48 anchors it judged 30 as people do, where 42 were")
    assert judge_telling.why(Agreed(50, 30, 30), row) == "of 50 anchors it gave no verdict of 20"
