from itertools import permutations

import pytest

from tidegate.core.contradictions import contradictions
from tidegate.core.plan import Limit


def limit(name, amount, **more):
    return Limit(name, more.pop("kind", "calls"), amount, **more)


def silent(*limits):
    return [found.name for found, _ in contradictions(limits)]


def test_of_two_that_differ_in_their_amount_alone_the_looser_never_speaks():
    for two in permutations([limit("a", 5, per_s=60.0), limit("b", 6, per_s=60.0)]):
        [(found, message)] = contradictions(two)
        assert found.name == "b"
        assert message.startswith('it can never speak: "a" allows only 5 of the same')


def test_of_two_that_say_the_same_the_later_goes():
    [(found, message)] = contradictions([limit("a", 5), limit("b", 5)])
    assert (found.name, message) == ("b", 'it says the same as "a"; remove one of them')


def test_more_in_a_minute_than_in_a_day_never_speaks():
    day = limit("day", 100, per_s=86_400.0)
    assert silent(day, limit("minute", 101, per_s=60.0)) == ["minute"]
    assert silent(day, limit("minute", 100, per_s=60.0)) == []


def test_money_of_the_calendar_is_compared_by_length_and_told_in_dollars():
    month = limit("month", 50 * 10**9, kind="spend", unit="month")
    week = limit("week", 60 * 10**9, kind="spend", unit="week")
    [(found, message)] = contradictions([month, week])
    assert found.name == "week" and '"month" allows only $50.00 ' in message
    once = limit("once", 49 * 10**9, kind="spend", unit="lifetime")
    assert [found.name for found, _ in contradictions([month, once])] == ["month"]


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "share"},
        {"scope": ("key",)},
        {"only": (("route", "chat"),)},
        {"count": "input"},
        {"cached_weight": 0.5},
        {"on_excess": "cap"},
        {"burst": 2},
        {"unit": "day"},
        {"unit": "day", "time_zone": "Europe/Berlin"},
    ],
)
def test_what_tells_two_limits_apart(other):
    assert silent(limit("a", 5), limit("b", 6, **other)) == []


def test_an_alert_below_a_refusal_speaks_and_above_it_does_not():
    hard = limit("hard", 100)
    assert silent(hard, limit("soft", 80, on_excess="alert")) == []
    assert silent(hard, limit("soft", 120, on_excess="alert")) == ["soft"]


def test_alerts_do_not_silence_one_another():
    alerts = [limit(str(n), n, on_excess="alert") for n in (1, 2, 3)]
    assert silent(*alerts) == []


def test_one_day_in_two_time_zones_is_two_windows():
    zones = ("UTC", "Asia/Tokyo")
    two = [limit(zone, n, unit="day", time_zone=zone) for n, zone in enumerate(zones, 1)]
    assert silent(*two) == []
