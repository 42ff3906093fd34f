"""What an error budget binds, and for how long."""

import pytest
from msgspec.structs import replace
from tests.controllers.budgeted import NOON_S, OUTAGE, P30, Route, held, seen, spent, tells, view

from tidegate.controllers import error_budget
from tidegate.controllers.error_budget import MoneySeen
from tidegate.core.block import Tally
from tidegate.core.controller import Set, Tell
from tidegate.core.objective import ErrorBudget, Exemption, Objective
from tidegate.stats.burn import DAY_S


@pytest.mark.parametrize(
    ("share", "state", "value"),
    [
        (0.0, "normal", None),
        (0.49, "normal", None),
        (0.51, "caution", 1.0),
        (0.76, "restricted", 2.0),
        (0.99, "restricted", 2.0),
        (1.0, "frozen", 3.0),
        (3.0, "frozen", 3.0),
    ],
)
def test_what_is_left_binds_releases(share: float, state: str, value: float | None) -> None:
    route = Route()
    decision = route.tick(view(seen(spent(share))))
    assert (route.state, held(decision)) == (state, value)
    assert tells(decision) == ([] if state == "normal" else [(f"slo/chat/{state}", False)])
    assert tells(route.tick(view(seen(spent(share)), at_s=10))) == []  # told once
    assert held(route.tick(view(seen(spent(share)), at_s=20))) == value  # and held on


def test_the_worst_objective_counts() -> None:
    slow = seen(spent(0.0), objective=Objective("ttft", 0.999, 3.0))
    route = Route()
    route.tick(view(slow, seen(spent(0.8))))
    assert route.state == "restricted"


@pytest.mark.parametrize(
    ("percent", "forecast", "value"),
    [(50, False, None), (80, False, 1.0), (100, False, 2.0), (100, True, 1.0), (80, True, 1.0)],
)
def test_money_budgets_bind_releases_too(percent: int, forecast: bool, value: float | None) -> None:
    money = (MoneySeen("growth", "route chat", percent, forecast),)
    decision = Route().tick(view(money=money))
    assert held(decision) == value
    lenient = ErrorBudget(caution_percent=200, restricted_percent=300)
    assert held(Route().tick(view(money=money, budget=lenient))) is None


def test_a_dear_incident_wants_a_review() -> None:
    route = Route()
    dear = {300.0: 6_000, P30: 6_000}  # 23 % of the period's budget
    route.tick(view(seen(dear)))
    assert error_budget.read_memory(route.memory).review is not None
    later = view(seen({7 * DAY_S: 6_000}), at_s=2 * DAY_S)
    assert held(route.tick(later)) == 2.0
    why = next(one.reason for one in route.decision.proposals if isinstance(one, Set))  # type: ignore[union-attr]
    assert "23%" in why and "unreviewed" in why
    assert held(route.tick(replace(later, reviewed_at_s=NOON_S + DAY_S))) is None
    assert held(route.tick(later)) is None  # what was reviewed stays so


def test_a_cheap_incident_wants_none() -> None:
    route = Route()
    route.tick(view(seen({300.0: 4_000, P30: 4_000})))
    assert error_budget.read_memory(route.memory).review is None


def test_an_exemption_softens_until_it_ends_and_is_told() -> None:
    until = Exemption(NOON_S + 100, "caution", "the launch", "eve")
    budget = ErrorBudget(exemptions=(until,))
    route = Route()
    decision = route.tick(view(seen(spent(2.0)), budget=budget))
    assert held(decision) == 1.0
    told = [one for one in decision.proposals if isinstance(one, Tell)]
    assert any("eve" in one.text and "launch" in one.text for one in told)
    assert held(route.tick(view(seen(spent(2.0)), budget=budget, at_s=101))) == 3.0
    assert held(Route().tick(view(budget=budget))) is None  # it softens, and never hardens


def test_a_fast_burn_says_what_of_it_is_the_candidate_s() -> None:
    known = view(seen(OUTAGE, canary=Tally(1_800, 1_500)), seen())
    [one] = error_budget.fast_burns(known)
    assert (one.objective, one.canary_bad, one.canary_traffic) == ("availability", 0.5, 0.05)
    [other] = error_budget.fast_burns(view(seen(OUTAGE)))
    assert (other.canary_bad, other.canary_traffic) == (None, None)
    assert error_budget.fast_burns(view(seen({7200.0: 3_000, P30: 3_100}))) == ()


def test_a_quiet_route_that_burns_by_count_may_have_had_nothing_bad_of_late() -> None:
    scarce = seen({7200.0: 5}, per_s=20 / DAY_S)
    counts = {**scarce.counts, 3600: Tally(4, 0)}
    [one] = error_budget.fast_burns(view(replace(scarce, counts=counts, canary=Tally(2, 0))))
    assert (one.canary_bad, one.canary_traffic) == (None, None)
