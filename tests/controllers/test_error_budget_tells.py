"""What people are told of objectives, each once."""

from tests.controllers.budgeted import (
    AVAILABILITY,
    NOON_S,
    OUTAGE,
    P30,
    Route,
    seen,
    spent,
    tells,
    view,
)

from tidegate.controllers.error_budget import ObjectiveSeen
from tidegate.core.block import Tally
from tidegate.core.controller import Set, Tell
from tidegate.core.objective import ErrorBudget, Maintenance, Objective
from tidegate.stats.burn import windows_s


def test_absence_is_told_once_and_not_in_maintenance() -> None:
    gone = {int(w): Tally() if w <= 600 else Tally(round(10 * w)) for w in windows_s(P30)}
    absent = ObjectiveSeen(AVAILABILITY, gone)
    route = Route()
    assert tells(route.tick(view(absent))) == [("absence/chat", False)]
    assert tells(route.tick(view(absent, at_s=10))) == []
    assert tells(route.tick(view(seen(), at_s=20))) == [("absence/chat", True)]
    planned = ErrorBudget(maintenance=(Maintenance(NOON_S - 60, NOON_S + 60, "database"),))
    assert Route().tick(view(absent, budget=planned)).proposals == ()
    other = seen(objective=Objective("ttft", 0.99, 3.0))
    assert Route().tick(view(absent, other)).proposals == ()  # requests do come


def absent_for(hours: float, *, per_s: float = 1.0) -> ObjectiveSeen:
    """Nothing for so long, after evenly so much."""
    counts = {int(w): Tally(round(max(w - hours * 3600, 0) * per_s)) for w in windows_s(P30)}
    return ObjectiveSeen(AVAILABILITY, counts)


def test_absence_stands_until_something_comes_or_nothing_has_for_a_day() -> None:
    for last, ends in ((absent_for(24), True), (absent_for(5), False), (seen(), True)):
        route = Route()
        assert tells(route.tick(view(absent_for(0.5)))) == [("absence/chat", False)]
        assert (
            tells(route.tick(view(absent_for(3), at_s=9000))) == []
        )  # the last hours know nothing
        decision = route.tick(view(last, at_s=9010))
        assert tells(decision) == ([("absence/chat", True)] if ends else [])
        if ends:
            [told] = [one for one in decision.proposals if isinstance(one, Tell)]
            again = "requests come again" if last == seen() else "no requests are expected now"
            assert told.title == f"chat: {again}"


def test_an_hour_that_was_quiet_a_week_ago_may_be_quiet() -> None:
    quiet = Route().tick(view(absent_for(0.5), week_ago_per_s=0.001))
    assert quiet.proposals == ()
    usual = Route().tick(view(absent_for(0.5), week_ago_per_s=1.0))
    assert tells(usual) == [("absence/chat", False)]
    told = next(one for one in usual.proposals if isinstance(one, Tell))
    assert told.text.startswith(
        "By this hour a week ago, and the last hours or the last day, there"
    )


def test_an_objective_that_is_taken_out_leaves_no_alert() -> None:
    route = Route()
    route.tick(view(seen(OUTAGE), seen(objective=Objective("ttft", 0.99, 3.0))))
    left = route.tick(view(seen(objective=Objective("ttft", 0.99, 3.0)), at_s=10))
    assert ("burn/chat/availability/page", True) in tells(left)


def test_a_candidate_s_part_is_told() -> None:
    decision = Route().tick(view(seen(OUTAGE, canary=Tally(1_000, 900))))
    page = next(one for one in decision.proposals if isinstance(one, Tell))
    assert "900 of the last bad requests were the release candidate's" in page.text


def test_a_page_of_few_says_that_hardly_any_other_came() -> None:
    few = {int(w): Tally(6 if w <= 600 else round(w / 12), 4) for w in windows_s(P30)}
    decision = Route().tick(view(ObjectiveSeen(AVAILABILITY, few)))
    page = next(one for one in decision.proposals if isinstance(one, Tell))
    assert page.severity == "page"
    assert page.text.startswith(
        "4 requests of the last 1h were bad, 13.3 times what the budget allows, "
        "and hardly any other came in the last of it."
    )


def test_what_is_held_has_its_evidence() -> None:
    decision = Route().tick(view(seen(spent(0.8))))
    change = next(one for one in decision.proposals if isinstance(one, Set))
    assert {one.name for one in change.evidence} == {
        "error_budget_left/availability",
        "burn_rate/availability",
    }


def test_a_page_takes_the_place_of_its_ticket_and_gives_it_back() -> None:
    route = Route()
    slow = seen({7200.0: 3_000, P30: 3_100})
    ticket, page = (f"burn/chat/availability/{it}" for it in ("ticket", "page"))
    assert tells(route.tick(view(slow)))[:1] == [(ticket, False)]
    both = tells(route.tick(view(seen(OUTAGE), at_s=60)))
    assert both[:2] == [(ticket, True), (page, False)]
    over = tells(route.tick(view(slow, at_s=800)))
    assert over[:2] == [(page, True), (ticket, False)]
