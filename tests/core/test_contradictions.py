from itertools import permutations

import pytest

from tidegate.core.contradictions import contradictions, silenced
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


def money(name, dollars, per, **more):
    window = {"unit": per} if isinstance(per, str) else {"per_s": per}
    return limit(name, dollars * 10**9, kind="spend", **window, **more)


def test_money_of_the_calendar_is_compared_by_length_and_told_in_dollars():
    month, day = money("month", 50, "month"), money("day", 60, "day")
    [(found, message)] = contradictions([month, day])
    assert found.name == "day" and '"month" allows only $50.00 ' in message
    once = money("once", 49, "lifetime")
    assert [found.name for found, _ in contradictions([month, once])] == ["month"]


@pytest.mark.parametrize(
    ("one", "other", "silenced"),
    [
        (("month", 50), ("week", 60), False),  # a week may lie in two months, and spend of both
        (("month", 50), ("week", 100), True),
        (("month", 50), ("week", 99), False),
        (("week", 50), ("day", 51), True),
        (("quarter", 50), ("month", 51), True),
        (("month", 50), (86_400.0, 60), False),  # so may any 24 hours
        (("month", 50), (86_400.0, 100), True),
        ((2_592_000.0, 50), ("day", 51), True),
        ((2_592_000.0, 50), ("month", 51), False),  # a month may be longer than 30 days
        (("day", 50), (86_400.0, 200), False),  # a day may be shorter than 24 hours
    ],
)
def test_a_period_that_lies_in_two_of_another_may_spend_of_both(one, other, silenced):
    two = money("one", one[1], one[0]), money("other", other[1], other[0])
    assert silent(*two) == (["other"] if silenced else [])


def test_days_of_one_zone_lie_in_two_months_of_another():
    month = money("month", 50, "month")
    assert silent(month, money("day", 60, "day", time_zone="Asia/Tokyo")) == []
    assert silent(month, money("day", 100, "day", time_zone="Asia/Tokyo")) == ["day"]


def test_a_soft_budget_speaks_with_its_first_alert():
    hard = money("hard", 50, "month")
    soft = {"on_excess": "alert"}
    assert silent(hard, money("soft", 90, "month", alert_percents=(50, 100), **soft)) == []
    assert silent(hard, money("soft", 90, "month", alert_percents=(80, 100), **soft)) == ["soft"]


def never(*limits):
    return [found.name for found, _ in silenced(limits)]


def test_of_a_wider_and_a_narrower_limit_the_looser_narrower_one_never_speaks():
    all_of_it = limit("all", 100, per_s=60.0)
    assert never(all_of_it, limit("key", 101, per_s=60.0, scope=("key",))) == ["key"]
    assert never(all_of_it, limit("chat", 101, per_s=60.0, only=(("route", "chat"),))) == ["chat"]
    assert never(all_of_it, limit("key", 100, per_s=60.0, scope=("key",))) == []
    assert never(all_of_it, limit("other", 500, per_s=60.0, kind="share", scope=("key",))) == []
    team = limit("team", 100, per_s=60.0, scope=("team",))
    assert never(team, limit("key", 101, per_s=60.0, scope=("key",))) == []
    assert never(team, limit("both", 101, per_s=60.0, scope=("key", "team"))) == ["both"]
    chat = limit("chat", 100, per_s=60.0, only=(("route", "chat"),))
    assert never(chat, limit("key", 101, per_s=60.0, scope=("key",))) == []


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
