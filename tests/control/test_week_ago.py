"""The same hour a week ago: known of a route that had requests on that day, and read once."""

import pytest
from sqlalchemy import Engine
from tests.stores.signal_rig import add, key, one

from tidegate.control import week_ago
from tidegate.control.week_ago import WeekAgo
from tidegate.stats.burn import DAY_S, HOUR_S, WEEK_S
from tidegate.stores import database

NOON_S = 1_800_000_000.0 // DAY_S * DAY_S + 12 * HOUR_S


def came(engine: Engine, at_s: float, requests: int, route: str = "chat", **named: str) -> None:
    good = requests // 2
    bins = {key(int(at_s), route=route, **named): one(availability_good=good)}
    bins[key(int(at_s), route=route, target="large")] = one(availability_bad=requests - good)
    add(engine, bins, seq=int(at_s))


def per_s(engine: Engine, now_s: float, asked: WeekAgo | None = None) -> dict[str, float]:
    with database.reading(engine) as connection:
        return dict((asked or WeekAgo()).per_s(connection, now_s))


def test_an_hour_is_that_of_a_week_ago_and_of_two_the_lesser(engine: Engine) -> None:
    came(engine, NOON_S - WEEK_S + 60, 3600)
    came(engine, NOON_S - WEEK_S + HOUR_S, 360)
    came(engine, NOON_S - 60, 9999)  # just now
    assert per_s(engine, NOON_S + 1800) == {"chat": 1.0}
    assert per_s(engine, NOON_S + HOUR_S + 300) == {"chat": 0.1}  # noon, and the hour after
    assert per_s(engine, NOON_S + HOUR_S + 900) == {"chat": 0.1}
    assert per_s(engine, NOON_S + 3 * HOUR_S) == {"chat": 0.0}  # that day it came, at this hour not


def test_of_a_route_that_had_no_request_that_day_nothing_is_known(engine: Engine) -> None:
    came(engine, NOON_S - WEEK_S, 3600)
    came(engine, NOON_S - WEEK_S - DAY_S, 3600, "older")
    came(engine, NOON_S - WEEK_S + DAY_S, 3600, "newer")
    assert per_s(engine, NOON_S + 1800) == {"chat": 1.0}


def test_the_store_is_asked_once_for_an_hour(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    judged_at = week_ago.judged_at

    def counting(connection: object, span_s: int, starts: object) -> dict[str, dict[int, int]]:
        asked.append(span_s)
        return judged_at(connection, span_s, starts)  # type: ignore[arg-type]

    monkeypatch.setattr(week_ago, "judged_at", counting)
    ago = WeekAgo()
    for minute in range(11, 130):
        per_s(engine, NOON_S + 60 * minute, ago)
    # Within an hour, then as the last ten minutes touch the one before, and within the next.
    assert len(asked) == 2 * 4
