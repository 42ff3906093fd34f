"""A session that uses many tokens in a short time is told of, though no limit asks for it."""

import logging
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.record.rig import Writer, receipt

from tidegate.core import clock
from tidegate.core.layout import Layout
from tidegate.core.receipt import Receipt, decode_payload
from tidegate.record import sessions
from tidegate.record.journals import Batch
from tidegate.record.metrics import Metrics
from tidegate.record.recorder import Recorder
from tidegate.record.sessions import NAME, SessionAlert
from tidegate.stores import receipts

NOW_S = 1_790_000_000.0


@pytest.fixture(autouse=True)
def wall(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The wall clock, at `now_s`."""
    hand = {"now_s": NOW_S}
    monkeypatch.setattr(clock, "wall_s", lambda: hand["now_s"])
    return hand


def call(used: int, at_s: float = 0.0, **fields: Any) -> Receipt:
    own = {"input_tokens": used - used // 2, "output_tokens": used // 2, "total_s": 0.0}
    return receipt(NOW_S + at_s, **{"session_id": "s", **own, **fields})


def marked(alert: SessionAlert, *made: Receipt) -> list[bool]:
    """Whether each of them is named; what goes to the ledger says the same."""
    batch = Batch([(one, b"") for one in made], [], False)
    alert.mark(batch)
    for one, payload in batch.entries:
        assert not payload or decode_payload(payload) == one
        assert bool(payload) == (NAME in one.over_limits)
    return [NAME in one.over_limits for one in made]


def test_a_session_past_its_tokens_is_named_and_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alert = SessionAlert(lambda: 100)
    with caplog.at_level(logging.WARNING):
        assert marked(alert, call(60), call(40), call(1), call(5)) == [False, False, True, False]
    (said,) = [record.getMessage() for record in caplog.records]
    assert "session 's' of team blue has used 101 tokens in 5 minutes, more than 100" in said


def test_sessions_are_their_team_s_users_and_conversations_are_sessions_too() -> None:
    alert = SessionAlert(lambda: 100)
    others = {"team": "red"}, {"session_id": None, "end_user": "u"}
    for fields in (*others, {"session_id": None, "conversation": 7}):
        assert marked(alert, call(100, **fields)) == [False]
    assert marked(alert, call(100)) == [False]
    for fields in (*others, {"session_id": None, "conversation": 7}):
        assert marked(alert, call(1, **fields)) == [True]
    nobody = {"session_id": None}
    assert marked(alert, call(1000, **nobody)) == [False]


def test_five_minutes_later_the_session_begins_anew(wall: dict[str, float]) -> None:
    alert = SessionAlert(lambda: 100)
    wall["now_s"] += 3600.0
    assert marked(alert, call(100), call(1, 299.0), call(1, 331.0)) == [False, True, False]
    assert marked(alert, call(99, 1000.0), call(100, 3000.0)) == [False, False]
    assert marked(alert, call(1, 3000.0), call(1, 3010.0)) == [True, False]


def test_what_comes_late_counts_when_it_was(wall: dict[str, float]) -> None:
    """A recorder that catches up: the order of journals is not the order of time."""
    alert = SessionAlert(lambda: 100)
    wall["now_s"] += 3600.0
    assert marked(alert, call(100, 1000.0), call(90, 10.0), call(90, 990.0)) == [False, False, True]


def test_clocks_that_step_mark_nothing_wrongly(wall: dict[str, float]) -> None:
    alert = SessionAlert(lambda: 100)
    wall["now_s"] += 86_400.0
    assert marked(alert, call(100, 86_400.0)) == [False]
    wall["now_s"] -= 86_400.0
    assert marked(alert, call(100), call(100, 600.0)) == [False, True]  # it ended by now at most


def test_it_follows_the_plan_and_can_be_turned_off() -> None:
    most = [0]
    alert = SessionAlert(lambda: most[0])
    assert marked(alert, call(1000)) == [False]
    most[0] = 10
    assert marked(alert, call(10), call(1)) == [False, True]


def test_sessions_beyond_the_bound_are_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    alert = SessionAlert(lambda: 100)
    assert marked(alert, *(call(101, session_id=name) for name in "abca")) == [
        *(True, True, False, False)
    ]


def test_the_ledger_and_the_metrics_are_told(
    layout: Layout, engine: Engine, journal: Writer
) -> None:
    metrics = Metrics()
    works = Recorder(layout, engine, metrics)
    works.sessions = SessionAlert(lambda: 100)
    made = [call(90), call(90), call(90)]
    journal.add(*made)
    assert works.drain()
    stored = [receipts.by_id(engine, one.id) for one in made]
    assert [one.over_limits for one in stored if one] == [[], [NAME], []]
    cells = metrics.families["tidegate_limit_alerts_total"].cells
    assert {labels: cell.total for labels, cell in cells.items()} == {(NAME,): 1}
    works.close()
