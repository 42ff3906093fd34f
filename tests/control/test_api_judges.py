"""Judges over the control API: shown to all, brought by operators, in the audit trail."""

import pytest
from sqlalchemy import Engine
from tests.control.conftest import Room
from tests.control.test_shapes_judges import WHOLE
from tests.stores.judged import calibrated, look, seat

from tidegate.control.api_judges import KEPT_S
from tidegate.core import clock
from tidegate.core.controller import Tell
from tidegate.stores import audit, database, judges, notices

DIGEST = "d" * 64


def test_what_an_operator_brings_may_decide_and_ends_an_alarm(room: Room, engine: Engine) -> None:
    key = judges.notice_key(DIGEST, judges.ALARM)
    with database.writing(engine) as connection:
        kept = calibrated(DIGEST, alarm_since_s=1.0, alarm="it fell", bridge='{"shift":0.1}')
        judges.keep(connection, kept)
        judges.note_look(connection, look(judge=DIGEST))
        judges.note_seat(connection, seat(judge=DIGEST))
        notices.note(connection, Tell("judge", key, "ticket", "It drifts", "so"), 1.0)
    [shown] = room.ask("GET", "/api/judges").json()["judges"]
    assert (shown["may_decide"], shown["alarm"]) == (False, "it fell")
    made = room.ask("POST", "/api/judges", WHOLE)
    assert made.status_code == 201, made.text
    found = room.ask("GET", "/api/judges").json()
    [shown] = found["judges"]
    assert shown["may_decide"] and shown["alarm"] == ""
    assert (shown["generation"], shown["kappa"], shown["bridge"]) == (2, 0.9, {"shift": 0.1})
    assert shown["figures"] == {"judge": "d"}
    assert shown["expires_at_s"] == pytest.approx(clock.wall_s() + KEPT_S, abs=60)
    assert [it["agreed"] for it in shown["looks"]] == [44]
    assert [it["used_by"] for it in found["seats"]] == [["chat"]]
    with database.reading(engine) as connection:
        assert notices.recent(connection, only_open=True) == []
        row = audit.recent(connection)[0]
    assert (row.what, row.subject) == ("judge.keep", f"{DIGEST[:16]} at referee")
    assert row.detail.endswith(": a test")


@pytest.mark.parametrize(
    "given",
    [{"agreed": 401}, {"errors": 201}, {"kappa": None}, {"figures": {"said": "x" * 200_001}}],
)
def test_what_no_calibration_comes_to_is_refused(room: Room, given: dict[str, object]) -> None:
    refused = room.ask("POST", "/api/judges", {**WHOLE, **given})
    assert refused.status_code == 400
    assert room.ask("GET", "/api/judges").json() == {"judges": [], "seats": []}
