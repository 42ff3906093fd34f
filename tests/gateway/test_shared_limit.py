"""What a request wants of a shared limit: its team's group, the periods of its calendar."""

from datetime import UTC, datetime

import pytest
from tests.gateway.shared import in_force

from tidegate.core.limit import Calendar
from tidegate.core.plan import Limit, Raise
from tidegate.core.receipt import Receipt
from tidegate.gateway.shared_limit import periods_around
from tidegate.stores.redis_wants import NO_PERIODS, Want


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def wanted(limit: Limit, wall_s: float = 0.0) -> Want:
    shared = in_force(limit).shared
    assert shared is not None
    return shared.want("a", 3, Receipt("r", 0.0, "g", "chat", team="a"), wall_s)


def test_four_edges_are_around_every_moment_of_a_month() -> None:
    edges = (at(2026, 1, 1), at(2026, 2, 1), at(2026, 3, 1), at(2026, 4, 1))
    for wall_s in (at(2026, 2, 1), at(2026, 2, 14), at(2026, 3, 1) - 0.001):
        assert periods_around(Calendar(1, "month"), wall_s) == edges


def test_a_lifetime_has_one_period_and_no_other() -> None:
    edges = periods_around(Calendar(1, "lifetime"), at(2026, 2, 14))
    assert edges[:2] == (0, 0)
    assert edges[2] == edges[3] > at(2900, 1, 1)


def test_a_new_period_is_wanted_when_the_old_one_is_over() -> None:
    shared = in_force(Limit("m", "spend", 1, unit="day")).shared
    assert shared is not None
    receipt = Receipt("r", 0.0, "g", "chat")
    first = shared.want("", 1, receipt, at(2026, 2, 1)).periods
    assert first[1] == at(2026, 2, 1)
    assert shared.want("", 1, receipt, at(2026, 2, 2)).periods[1] == at(2026, 2, 2)
    assert shared.want("", 1, receipt, at(2026, 2, 1)).periods == first


@pytest.mark.parametrize(
    ("limit", "group"),
    [
        (Limit("x", "requests", 9, ("team",), per_s=60.0), "a"),
        (Limit("x", "requests", 9, ("route",), (("team", "a"),), per_s=60.0), "a"),
        (Limit("x", "requests", 9, ("key",), per_s=60.0), None),
        (Limit("x", "requests", 9, per_s=60.0), None),
    ],
)
def test_only_what_is_one_teams_lies_with_that_team(limit: Limit, group: str | None) -> None:
    want = wanted(limit)
    assert (want.group, want.periods, want.quota.hard) == (group, NO_PERIODS, False)


def test_a_budget_that_refuses_is_hard_and_one_that_alerts_is_not() -> None:
    assert wanted(Limit("m", "spend", 1, unit="day"), 1e9).quota.hard
    assert not wanted(Limit("m", "spend", 1, unit="day", on_excess="alert"), 1e9).quota.hard


def test_a_raise_that_ends_changes_what_is_allowed() -> None:
    it = in_force(Limit("m", "spend", 10, unit="day", raises=(Raise(5, 9e9),)))
    assert it.shared is not None
    receipt = Receipt("r", 0.0, "g", "chat")
    assert it.shared.want("", 1, receipt, 8e9).quota.allowed == 15
    it.lapse(9e9)
    assert it.shared.want("", 1, receipt, 9e9).quota.allowed == 10


def test_a_value_that_is_raised_is_allowed_more_by_the_same_counter() -> None:
    of_growth = Raise(5, 9e9, (("team", "growth"),))
    it = in_force(Limit("m", "spend", 1000, ("team",), unit="day", raises=(of_growth,)))
    assert it.shared is not None
    receipt = Receipt("r", 0.0, "g", "chat")
    raised = it.shared.want("growth", 1, receipt, 8e9).quota
    other = it.shared.want("search", 1, receipt, 8e9).quota
    assert (raised.allowed, other.allowed) == (1005, 1000)
    assert (raised.key, raised.hard, raised.lease_s) == (other.key, other.hard, other.lease_s)
    it.lapse(9e9)
    assert it.shared.want("growth", 1, receipt, 9e9).quota.allowed == 1000
