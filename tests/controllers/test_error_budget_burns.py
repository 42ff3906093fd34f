"""When an objective burns, when it is over, and when nothing is known."""

from msgspec.structs import replace
from tests.controllers.budgeted import (
    AVAILABILITY,
    HOUR_S,
    OUTAGE,
    P30,
    Route,
    held,
    seen,
    spent,
    tells,
    view,
)

from tidegate.controllers import error_budget
from tidegate.controllers.error_budget import ObjectiveSeen
from tidegate.core.block import Tally
from tidegate.core.controller import Tell
from tidegate.stats.burn import DAY_S, windows_s


def test_a_frozen_route_thaws_only_above_its_bound() -> None:
    route = Route()
    route.tick(view(seen(spent(1.01))))
    route.tick(view(seen(spent(0.91)), at_s=10))
    assert route.state == "frozen"
    decision = route.tick(view(seen(spent(0.89)), at_s=20))
    assert route.state == "restricted"
    assert tells(decision) == [("slo/chat/frozen", True), ("slo/chat/restricted", False)]
    route.tick(view(seen(spent(0.95)), at_s=30))
    assert route.state == "restricted"


def test_a_new_route_s_first_failures_spend_what_they_would_of_a_whole_period() -> None:
    all_bad = {int(w): Tally(600, 600) for w in windows_s(P30)}
    route = Route()
    begun = view(ObjectiveSeen(AVAILABILITY, all_bad))
    route.tick(replace(begun, known_s=600.0))  # 23 % of the 43 minutes that it may be out
    assert route.state == "restricted"
    assert error_budget.read_memory(route.memory).review is not None
    route.tick(replace(begun, known_s=2700.0))
    assert route.state == "frozen"


def test_an_objective_that_is_newer_than_its_route_costs_what_a_new_route_s_would() -> None:
    all_bad = {int(w): Tally(600, 600) for w in windows_s(P30)}
    for known_s, state in ((600.0, "restricted"), (None, "frozen")):
        route = Route()
        route.tick(view(ObjectiveSeen(AVAILABILITY, all_bad, known_s=known_s)))
        assert route.state == state


def test_a_state_without_evidence_is_none() -> None:
    route = Route()
    route.tick(view(seen({P30: 4}, per_s=1e-4)))  # 4 of 259, where 99.9 % are to be good
    assert route.state == "normal"


def test_a_burn_pages_once_restricts_for_a_day_and_is_resolved_after_its_latch() -> None:
    route = Route()
    begun = route.tick(view(seen(OUTAGE)))
    assert ("burn/chat/availability/page", False) in tells(begun)
    page = next(one for one in begun.proposals if isinstance(one, Tell))
    assert page.severity == "page" and "83.3 times" in page.title
    assert held(begun) == 2.0
    assert tells(route.tick(view(seen(OUTAGE), at_s=60))) == []
    over = seen({HOUR_S: 3_000, P30: 5_000})
    assert tells(route.tick(view(over, at_s=600))) == []  # the latch holds
    resolved = route.tick(view(over, at_s=721))
    assert ("burn/chat/availability/page", True) in tells(resolved)
    assert route.state == "restricted"  # for the rest of the day
    calm = route.tick(view(seen({DAY_S: 100, P30: 5_000}), at_s=HOUR_S + DAY_S - 1))
    assert held(calm) == 2.0
    assert held(route.tick(view(seen({DAY_S: 100, P30: 5_000}), at_s=HOUR_S + DAY_S))) is None


def test_a_burn_that_flaps_is_told_once() -> None:
    route, told = Route(), []
    for minute in range(60):
        bad = OUTAGE if minute % 5 == 0 else {HOUR_S: 3_000, P30: 5_000}
        told += tells(route.tick(view(seen(bad), at_s=60 * minute)))
    assert [key for key, _ in told].count("burn/chat/availability/page") == 1


def test_silence_neither_ends_a_burn_nor_thaws() -> None:
    route = Route()
    route.tick(view(seen(OUTAGE)))
    quiet = {int(w): Tally() if w <= 1800 else Tally(36_000, 3_000) for w in windows_s(P30)}
    decision = route.tick(view(ObjectiveSeen(AVAILABILITY, quiet), at_s=3000))
    assert ("burn/chat/availability/page", True) not in tells(decision)
    frozen = Route()
    frozen.tick(view(seen(spent(2.0))))
    frozen.tick(view(ObjectiveSeen(AVAILABILITY, {}), at_s=10))
    assert frozen.state == "frozen"
    fresh = Route()
    assert fresh.tick(view(ObjectiveSeen(AVAILABILITY, {}))).proposals == ()


def test_a_slow_burn_is_a_ticket_and_asks_for_care() -> None:
    route = Route()
    decision = route.tick(view(seen({7200.0: 3_000, P30: 3_100})))
    assert tells(decision) == [
        ("burn/chat/availability/ticket", False),
        ("slo/chat/caution", False),
    ]
    assert held(decision) == 1.0


def test_a_clock_that_was_ahead_binds_for_no_longer_than_a_day() -> None:
    route = Route()
    route.tick(view(seen(OUTAGE), at_s=400 * DAY_S))
    route.tick(view(seen({7 * DAY_S: 5_000}), at_s=0))
    assert held(route.tick(view(seen({7 * DAY_S: 5_000}), at_s=DAY_S + HOUR_S))) is None
