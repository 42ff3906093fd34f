"""Budgets and raises as operators make and end them, with who did it."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from tidegate.stores import audit, budgets, database
from tidegate.stores.audit import Author
from tidegate.stores.budgets import BudgetNotFound, RaiseNotFound, StoredBudget, StoredRaise

ANA = Author("ana", 100.0)


def budget(name: str = "growth", **fields: Any) -> StoredBudget:
    plain: dict[str, Any] = {
        "amount_nanousd": 500_000_000_000,
        "unit": "month",
        "rolling_s": None,
        "time_zone": "Europe/Berlin",
        "scope": ("team", "route"),
        "only": {"environment": "production"},
        "hard": True,
        "alerts": (50, 100),
        "author": "ana",
        "at_s": 100.0,
    }
    return StoredBudget(name=name, **{**plain, **fields})


def more(budget: str = "growth", **fields: Any) -> StoredRaise:
    plain: dict[str, Any] = {"until_s": 200.0, "approver": "bo", "reason": "launch"}
    return StoredRaise(0, budget, 7, **{**plain, **fields}, author="ana", at_s=100.0)


def told(engine: Engine) -> list[tuple[str, str, str]]:
    with database.reading(engine) as connection:
        return [(row.actor, row.what, row.subject) for row in audit.recent(connection)]


def test_a_budget_comes_back_as_it_was_put_and_replaces_the_one_before(engine: Engine) -> None:
    rolling = budget("all", unit=None, rolling_s=86_400.0, time_zone=None, scope=(), only={})
    with database.writing(engine) as connection:
        budgets.put(connection, budget())
        budgets.put(connection, rolling)
        budgets.put(connection, budget(amount_nanousd=1, hard=False, author="bo"))
        assert budgets.every(connection) == [
            rolling,
            budget(amount_nanousd=1, hard=False, author="bo"),
        ]
    assert told(engine)[0] == ("bo", "budget.set", "growth")
    assert len(told(engine)) == 3


def test_a_raise_of_one_value_comes_back_with_it_and_is_told_with_it(engine: Engine) -> None:
    of = {"team": "growth", "route": "chat"}
    with database.writing(engine) as connection:
        number = budgets.add_raise(connection, more(scope=of))
        assert [one.scope for one in budgets.raises_in_force(connection, 100.0)] == [of]
        assert budgets.raises_of(connection, "growth") == [
            msgspec.structs.replace(more(scope=of), id=number)
        ]
        assert "for route chat" in (audit.recent(connection)[0].detail or "")


def test_a_raise_of_a_value_ends_where_its_budget_tells_it_apart_no_more(engine: Engine) -> None:
    of_one = {"team": "a", "route": "b"}
    with database.writing(engine) as connection:
        budgets.put(connection, budget())
        for scope in (of_one, {}):
            budgets.add_raise(connection, more(scope=scope))
        budgets.add_raise(connection, more("other", scope={"key": "k"}))
        budgets.put(connection, budget(amount_nanousd=7, at_s=150.0))
        assert len(budgets.raises_in_force(connection, 150.0)) == 3
        budgets.put(connection, budget(scope=("team",), at_s=160.0))
        left = [(one.budget, one.scope) for one in budgets.raises_in_force(connection, 160.0)]
        assert left == [("growth", {}), ("other", {"key": "k"})]
        assert budgets.raises_of(connection, "growth")[1].ended_at_s == 160.0


def test_a_team_that_a_scope_gets_when_it_is_compiled_ends_no_raise(engine: Engine) -> None:
    with database.writing(engine) as connection:
        budgets.put(connection, budget(scope=("end_user",)))
        budgets.add_raise(connection, more(scope={"end_user": "u", "team": "a"}))
        budgets.put(connection, budget(scope=("end_user",), amount_nanousd=7))
        assert len(budgets.raises_in_force(connection, 100.0)) == 1


def test_what_is_undone_is_not_told_either(engine: Engine) -> None:
    with pytest.raises(RuntimeError), database.writing(engine) as connection:
        budgets.put(connection, budget())
        raise RuntimeError
    with database.reading(engine) as connection:
        assert budgets.every(connection) == []
    assert told(engine) == []


def test_a_raise_is_in_force_until_its_time_or_until_it_is_ended(engine: Engine) -> None:
    with database.writing(engine) as connection:
        first = budgets.add_raise(connection, more())
        second = budgets.add_raise(connection, more(until_s=300.0))
        assert [one.id for one in budgets.raises_in_force(connection, 199.9)] == [first, second]
        assert [one.id for one in budgets.raises_in_force(connection, 200.0)] == [second]
        budgets.end_raise(connection, "growth", second, Author("bo", 150.0))
        assert [one.id for one in budgets.raises_in_force(connection, 150.0)] == [first]
        newest = budgets.raises_of(connection, "growth")
    assert [(one.id, one.ended_at_s) for one in newest] == [(second, 150.0), (first, None)]
    assert told(engine)[0] == ("bo", "budget.end_raise", "growth")


@pytest.mark.parametrize(("name", "at_s"), [("other", 150.0), ("growth", 200.0)])
def test_a_raise_that_is_not_in_force_cannot_be_ended(
    engine: Engine, name: str, at_s: float
) -> None:
    with database.writing(engine) as connection:
        number = budgets.add_raise(connection, more())
        with pytest.raises(RaiseNotFound):
            budgets.end_raise(connection, name, number, Author("bo", at_s))
        assert budgets.raises_of(connection, "growth")[0].ended_at_s is None


def test_ending_a_budget_ends_its_raises_and_only_those(engine: Engine) -> None:
    with database.writing(engine) as connection:
        budgets.put(connection, budget())
        budgets.add_raise(connection, more())
        other = budgets.add_raise(connection, more("other"))
        budgets.end(connection, "growth", Author("bo", 120.0))
        assert budgets.every(connection) == []
        assert [one.id for one in budgets.raises_in_force(connection, 120.0)] == [other]
        assert budgets.raises_of(connection, "growth")[0].ended_at_s == 120.0
        with pytest.raises(BudgetNotFound):
            budgets.end(connection, "growth", ANA)
    assert told(engine)[0] == ("bo", "budget.end", "growth")
