"""An alert is given once a threshold and period, whoever looks and however often."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.stores import rig

from tidegate.actuators import webhook
from tidegate.control import alerting
from tidegate.control.alerting import Alerting, body_of, id_of
from tidegate.control.budget_figures import BudgetFigures
from tidegate.core.declared_control import DeclaredWebhook
from tidegate.core.notice import NotDelivered
from tidegate.core.plan import Limit, Plan, Raise
from tidegate.core.secret import Secret, SecretRef
from tidegate.stores import alerts, database, notices
from tidegate.stores.alerts import Alert
from tidegate.stores.ledger import Ledger

NOON_S = 1_790_000_000.0 // 86_400 * 86_400 + 43_200
EACH = Limit("each", "spend", 1000, ("team",), unit="day", alert_percents=(50, 80, 100))
HOOK = DeclaredWebhook("https://hooks.example.com/x", SecretRef(env="HOOK"))
Sent = list[tuple[str, bytes, str, Secret | None]]


def looker(engine: Engine, *limits: Limit, hook: DeclaredWebhook | None = None) -> Alerting:
    plan = Plan(1, "d", 0.0, {}, limits=limits)
    return Alerting(
        engine, lambda: plan, lambda: hook, {"HOOK": "hush"}, BudgetFigures(lambda: 0.0)
    )


def spend(engine: Engine, cost: int, team: str = "blue", at_s: float = NOON_S - 60) -> None:
    Ledger(engine).write(rig.entries(rig.receipt(at_s, cost_nanousd=cost, team=team)), [])


def given(found: list[Alert]) -> set[tuple[str, str, int]]:
    return {(one.scope, one.measure, one.percent) for one in found}


def test_each_threshold_of_actual_and_forecast_once_for_each_value(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    it = looker(engine, EACH)
    assert it.look(NOON_S) == []
    spend(engine, 499)
    assert given(it.look(NOON_S)) == {
        ("team blue", "forecast", 50),
        ("team blue", "forecast", 80),
    }
    assert it.look(NOON_S + 60) == []
    spend(engine, 301)
    with caplog.at_level(logging.WARNING):
        assert given(it.look(NOON_S)) == {
            ("team blue", "actual", 50),
            ("team blue", "actual", 80),
            ("team blue", "forecast", 100),
        }
    assert "budget each (team blue) has spent $0.0000008 of $0.000001: 80 %" in caplog.text
    spend(engine, 1000, "red")  # spent is spent: nothing is foreseen of it
    assert given(it.look(NOON_S)) == {("team red", "actual", part) for part in (50, 80, 100)}
    assert it.look(NOON_S + 3600) == []


def test_neither_a_restart_nor_a_second_control_gives_it_again(engine: Engine) -> None:
    spend(engine, 1000)
    first, second = looker(engine, EACH), looker(engine, EACH)
    assert len(first.look(NOON_S)) + len(second.look(NOON_S)) == 3
    assert looker(engine, EACH).look(NOON_S) == []


def test_what_was_raised_is_looked_at_by_what_is_allowed_now_and_told_anew(engine: Engine) -> None:
    spend(engine, 1000)
    spend(engine, 1000, "red")
    assert len(looker(engine, EACH).look(NOON_S)) == 6
    of_blue = replace(EACH, raises=(Raise(900, NOON_S + 600, (("team", "blue"),)),))
    assert given(looker(engine, of_blue).look(NOON_S + 60)) == {
        ("team blue", "actual", 50),
        ("team blue", "forecast", 80),
        ("team blue", "forecast", 100),
    }
    spend(engine, 1000)
    assert given(looker(engine, of_blue).look(NOON_S + 120)) == {
        ("team blue", "actual", 80),
        ("team blue", "actual", 100),
    }
    assert looker(engine, of_blue).look(NOON_S + 600) == []  # it is over


def test_a_new_period_alerts_anew(engine: Engine) -> None:
    spend(engine, 1000)
    spend(engine, 1000, at_s=NOON_S + 86_400 - 60)
    it = looker(engine, EACH)
    assert len(it.look(NOON_S)) == len(it.look(NOON_S + 86_400)) == 3


def test_a_budget_that_rolls_on_alerts_once_in_its_own_length(engine: Engine) -> None:
    start_s = NOON_S // 7200 * 7200
    rolling = replace(EACH, unit=None, per_s=7200.0, alert_percents=(50,))
    spend(engine, 600, at_s=start_s - 60)
    it = looker(engine, rolling)
    assert given(it.look(start_s - 30)) == {("team blue", "actual", 50)}
    assert it.look(start_s - 10) == []
    assert len(it.look(start_s)) == 1


def test_hard_or_soft_a_budget_without_percents_says_nothing(engine: Engine) -> None:
    spend(engine, 5000)
    assert looker(engine, replace(EACH, alert_percents=())).look(NOON_S) == []
    soft = replace(EACH, name="soft", on_excess="alert", alert_percents=(100,))
    assert given(looker(engine, soft).look(NOON_S)) == {("team blue", "actual", 100)}


def test_ratios_are_as_of_the_last_look_and_bounded_a_budget(engine: Engine) -> None:
    for number in range(15):
        spend(engine, 100 + number, f"team-{number:02}")
    it = looker(engine, EACH)
    it.look(NOON_S)
    assert len(it.ratios) == 10
    first = it.ratios[0]
    assert (first.budget, first.scope, first.used) == ("each", "team team-14", 0.114)
    assert first.forecast == 0.228


def test_every_value_that_reached_a_threshold_is_told_of_however_many_there_are(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "_FIRST_SCOPES", 2)
    monkeypatch.setattr(alerting, "_NOTED_AT_ONCE", 7)
    for number in range(25):
        spend(engine, 600 + number, f"team-{number:02}")
    spend(engine, 10, "idle")
    it = looker(engine, EACH)
    found = it.look(NOON_S)
    assert len(found) == len(given(found)) == 25 * 3
    assert it.look(NOON_S) == []
    spend(engine, 300, "team-00")
    assert given(it.look(NOON_S)) == {("team team-00", "actual", 80)}
    monkeypatch.setattr(alerting, "_MOST_SCOPES", 15)
    assert len(looker(engine, replace(EACH, name="other")).look(NOON_S)) == 15 * 3


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    found: Sent = []
    monkeypatch.setattr(webhook, "deliver", lambda *what: found.append(what))
    return found


def test_the_webhook_is_told_of_each_alert_once(engine: Engine, sent: Sent) -> None:
    it = looker(engine, EACH, hook=HOOK)
    spend(engine, 600)
    fresh = it.look(NOON_S)
    it.tell(NOON_S)
    it.tell(NOON_S + 600)
    assert len(sent) == len(fresh) == 3
    url, body, delivery_id, secret = sent[0]
    assert (url, delivery_id) == (HOOK.url, msgspec.json.decode(body)["id"])
    assert secret is not None and secret.reveal() == "hush"
    assert b"hush" not in body
    assert len({one[2] for one in sent}) == 3


def test_what_it_does_not_take_is_told_again_later_and_not_for_ever(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, sent: Sent
) -> None:
    deliver: Callable[..., Any] = webhook.deliver

    def away(*what: Any) -> None:
        raise NotDelivered("ConnectError")

    it = looker(engine, replace(EACH, alert_percents=(50,)), hook=HOOK)
    spend(engine, 300)
    it.look(NOON_S)
    monkeypatch.setattr(webhook, "deliver", away)
    it.tell(NOON_S)
    monkeypatch.setattr(webhook, "deliver", deliver)
    it.tell(NOON_S + 10)
    assert sent == []
    it.tell(NOON_S + 60)
    assert len(sent) == 1
    spend(engine, 300)
    it.look(NOON_S)
    it.tell(NOON_S + 2 * 3600)
    assert len(sent) == 1


def test_without_an_address_nothing_is_claimed(engine: Engine, sent: Sent) -> None:
    spend(engine, 600)
    it = looker(engine, EACH)
    it.look(NOON_S)
    it.tell(NOON_S)
    with database.reading(engine) as connection:
        assert {one.tries for one in alerts.recent(connection)} == {0}


def test_the_body_says_it_in_dollars_and_the_id_is_plain_text() -> None:
    alert = Alert(*("each", "team ä", 1000, "forecast", 80, 1500.0, 500_000_000, 9, 10))
    told = msgspec.json.decode(body_of(alert))
    assert told["type"] == "budget_alert"
    assert (told["used_usd"], told["percent"], told["measure"]) == ("0.5", 80, "forecast")
    assert id_of(alert) == r"each/team \xe4/1000/forecast/80/10"


def test_each_alert_is_noted_as_a_notice_with_it(engine: Engine) -> None:
    spend(engine, 1000)
    it = looker(engine, EACH)
    fresh = it.look(NOON_S)
    assert it.look(NOON_S + 60) == []
    with database.reading(engine) as connection:
        noted = notices.recent(connection)
    assert {one.key for one in noted} == {f"budget/{id_of(one)}" for one in fresh}
    assert {(one.topic, one.severity, one.title) for one in noted} == {
        ("budget", "info", "Budget each (team blue): 50 % is reached"),
        ("budget", "info", "Budget each (team blue): 80 % is reached"),
        ("budget", "ticket", "Budget each (team blue): 100 % is reached"),
    }
    with database.writing(engine) as connection:
        assert notices.lapse(connection, NOON_S + 86_400) == 3


def test_it_looks_once_a_minute_and_outlives_a_store_that_fails(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:

    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    with database.writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE alerts")
    monkeypatch.setattr(alerting.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(looker(engine, EACH).watch())
    assert slept == [60.0, 60.0, 60.0]
