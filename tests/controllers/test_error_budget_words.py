"""What the controller sees of a route."""

import msgspec
from msgspec.structs import replace
from tests.controllers.budgeted import NOON_S, seen, view

from tidegate.controllers._error_budget_words import Memory, ObjectiveSeen
from tidegate.core.block import Tally
from tidegate.core.objective import DAY_S, ErrorBudget, Maintenance


def test_a_window_that_was_not_counted_had_no_requests() -> None:
    assert seen().counted(300.0) == Tally(3_000, 0)
    assert ObjectiveSeen(seen().objective).counted(300.0) == Tally()


def test_maintenance_is_from_its_first_second_to_before_its_last() -> None:
    budget = ErrorBudget(maintenance=(Maintenance(NOON_S, NOON_S + 60.0, "database"),))
    at = [view(budget=budget, at_s=s).in_maintenance for s in (-1.0, 0.0, 59.0, 60.0)]
    assert at == [False, True, True, False]
    assert not replace(view(), budget=ErrorBudget()).in_maintenance


def test_a_period_that_has_just_begun_is_counted_in_part() -> None:
    assert view().counted_of(seen()) == 1.0
    assert replace(view(), known_s=DAY_S).counted_of(seen()) == 1 / 30
    assert replace(view(), known_s=99 * DAY_S).counted_of(seen()) == 1.0


def test_an_objective_is_known_for_no_longer_than_its_route() -> None:
    newer, older = seen(known_s=DAY_S), seen(known_s=99 * DAY_S)
    assert view().counted_of(newer) == 1 / 30
    assert replace(view(), known_s=3 * DAY_S).known_of_s(older) == 3 * DAY_S


def test_requests_come_as_long_as_any_objective_judged_one_lately() -> None:
    none = ObjectiveSeen(seen().objective)
    assert view(none, seen()).comes
    assert not view(none).comes


def test_a_route_of_which_nothing_is_known_takes_no_room() -> None:
    assert len(msgspec.msgpack.encode(Memory())) == 1
