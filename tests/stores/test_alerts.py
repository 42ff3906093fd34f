"""An alert comes once, and whoever delivers it has it alone."""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.stores import alerts, database
from tidegate.stores.alerts import MAX_TRIES, Alert


def alert(**fields: Any) -> Alert:
    plain: dict[str, Any] = {
        "budget": "growth",
        "scope": "team-a",
        "period_start_s": 1000,
        "measure": "actual",
        "percent": 50,
        "at_s": 1500.0,
        "used_nanousd": 5,
        "forecast_nanousd": 9,
        "allowed_nanousd": 10,
    }
    return Alert(**{**plain, **fields})


def test_the_same_threshold_of_a_period_is_noted_once(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert alerts.add(connection, alert())
        assert not alerts.add(connection, alert(at_s=1600.0, used_nanousd=6))
    others = (
        {"budget": "all"},
        {"scope": "team-b"},
        {"period_start_s": 2000, "allowed_nanousd": 12},
        {"measure": "forecast"},
        {"percent": 80},
    )
    with database.writing(engine) as connection:
        assert all(alerts.add(connection, alert(at_s=1700.0, **other)) for other in others)
        assert len(alerts.recent(connection)) == 6
        noted = {
            ("growth", "team-a", "actual", 50): 10,
            ("growth", "team-b", "actual", 50): 10,
            ("growth", "team-a", "forecast", 50): 10,
            ("growth", "team-a", "actual", 80): 10,
        }
        assert alerts.noted(connection, ["growth"], 1000) == noted
        noted["all", "team-a", "actual", 50] = 10
        assert alerts.noted(connection, {"growth", "all", "none"}, 1000) == noted
        assert alerts.recent(connection)[-1] == alert()
        assert [one.budget for one in alerts.recent(connection, "all")] == ["all"]


def test_a_threshold_of_a_budget_that_was_raised_is_another(engine: Engine) -> None:
    with database.writing(engine) as connection:
        assert alerts.add(connection, alert(delivered_at_s=1501.0, tries=1))
        assert alerts.add(connection, alert(at_s=1600.0, allowed_nanousd=20, used_nanousd=10))
        assert not alerts.add(connection, alert(at_s=1700.0))  # the raise is over
        (kept,) = alerts.recent(connection)
        assert (kept.allowed_nanousd, kept.delivered_at_s, kept.tries) == (20, None, 0)


def test_a_claimed_alert_is_nobody_else_s_for_a_minute(engine: Engine) -> None:
    with database.writing(engine) as connection:
        alerts.add(connection, alert())
        claimed = alerts.claim(connection, 1500.0, since_s=0.0, limit=10)
        assert claimed == [alert(tries=1, tried_at_s=1500.0)]
        assert alerts.claim(connection, 1530.0, since_s=0.0, limit=10) == []
        again = alerts.claim(connection, 1560.0, since_s=0.0, limit=10)
        assert [one.tries for one in again] == [2]


def test_what_was_delivered_or_is_old_or_was_tried_too_often_is_left(engine: Engine) -> None:
    with database.writing(engine) as connection:
        alerts.add(connection, alert())
        alerts.add(connection, alert(percent=80, at_s=10.0))
        alerts.add(connection, alert(percent=100, tries=MAX_TRIES))
        (claimed,) = alerts.claim(connection, 1500.0, since_s=1000.0, limit=10)
        alerts.delivered(connection, claimed, 1501.0)
        assert alerts.claim(connection, 9000.0, since_s=1000.0, limit=10) == []
        kept = {one.percent: one for one in alerts.recent(connection)}
        assert kept[50] == replace(claimed, delivered_at_s=1501.0)


def test_old_ones_are_dropped(engine: Engine) -> None:
    with database.writing(engine) as connection:
        alerts.add(connection, alert(at_s=10.0))
        alerts.add(connection, alert(percent=80, at_s=20.0))
        assert alerts.trim(connection, 20.0) == 1
        assert [one.percent for one in alerts.recent(connection)] == [80]
