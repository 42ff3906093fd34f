import pytest
from tests.limits.asks import demand, limit, receipt

from tidegate.core.limit import Calendar, Moment, Reading, Rolling
from tidegate.limits.spend import plug
from tidegate.stores.memory_counters import memory_counters

USD = 1_000_000_000
MONTH = limit("spend", 10 * USD, "team", unit="month", time_zone="Asia/Tokyo")
SOFT = limit("spend", 10 * USD, "team", unit="month", on_excess="alert")


def test_a_calendar_or_a_time_that_rolls_on_by_the_wall():
    assert plug.shape(MONTH) == Calendar(10 * USD, "month", "Asia/Tokyo")
    assert plug.shape(limit("spend", 5, per_s=3600.0)) == Rolling(5, 3600.0, wall=True)


def test_the_most_it_can_cost_is_held():
    assert plug.amount(MONTH)(demand(cost_nanousd=77)) == 77
    assert plug.amount(SOFT)(demand(cost_nanousd=77)) == 0
    assert plug.used(SOFT)(receipt(cost_nanousd=55)) == 55
    assert plug.used(MONTH)(receipt()) is None


def test_what_costs_nothing_is_served_when_all_is_spent():
    now = Moment(0.0, 1_790_000_000.0)
    counters = memory_counters(plug.shape(MONTH))
    ticket = counters.take("t", 10 * USD, now)
    assert ticket is not None
    counters.give_back("t", ticket, 10 * USD, 12 * USD, now)
    assert counters.take("t", plug.amount(MONTH)(demand(cost_nanousd=1)), now) is None
    assert counters.take("t", plug.amount(MONTH)(demand(cost_nanousd=0)), now) is not None


def test_a_spent_budget_says_all_there_is_to_say():
    no = plug.refusal(MONTH, "team growth", Reading(9_980_000_000, 10 * USD, 9e6, 12 * 86_400.0))
    assert no.message == (
        'budget "the-limit" (team growth): $9.98 of $10.00 this month are spent or held, and this '
        "request may cost more than is left; try again in 12 days"
    )
    assert no.retry_after_s == 12 * 86_400.0
    large = plug.refusal(MONTH, "team growth", Reading(USD, 10 * USD, 9e6))
    assert large.message.endswith(
        "may cost more than all of it; waiting alone does not help: make the request smaller"
    )
    assert large.retry_after_s is None
    rolling = limit("spend", 10, per_s=86_400.0 * 7)
    assert " in 7 days are spent" in plug.refusal(rolling, "x", Reading(1, 10, 60.0)).message


def test_a_lifetime_s_budget_is_not_given_anew():
    once = limit("spend", 10 * USD, "team", unit="lifetime")
    no = plug.refusal(once, "team growth", Reading(9_980_000_000, 10 * USD, 3e10, 3e10))
    assert no.message == (
        'budget "the-limit" (team growth): $9.98 of $10.00 in all are spent or held, and this '
        "request may cost more than is left; it is not given anew"
    )
    assert no.retry_after_s is None


@pytest.mark.parametrize("scope", ["end_user", "session", "trace", "prompt", "attribute.app"])
def test_a_lifetime_needs_what_is_remembered_for_good(scope):
    assert scope in (plug.complaint(limit("spend", 10, "team", scope, unit="lifetime")) or "")
    only = limit("spend", 10, only=((scope, "x"),), unit="lifetime")
    assert "as long as receipts are kept" in (plug.complaint(only) or "")
    assert plug.complaint(limit("spend", 10, scope, unit="month")) is None
    assert plug.complaint(limit("spend", 10, "team", "model", unit="lifetime")) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "one of the two"),
        ({"unit": "day", "per_s": 60.0}, "one of the two"),
        ({"per_s": -1.0}, "more than nothing"),
        ({"unit": "day", "on_excess": "cap"}, "not capped"),
        ({"unit": "day", "time_zone": "Mars/Base"}, '"Mars/Base" is no time zone'),
    ],
)
def test_what_cannot_be_enforced_is_complained_of(fields, said):
    assert said in (plug.complaint(limit("spend", 10, **fields)) or "")
