"""What operators added compiles with the plan file, by its rules, and says that it is not in it."""

from decimal import Decimal

import pytest
from tests.core.plans import compiled, declared

from tidegate.core.added import Added
from tidegate.core.compile import PlanRefused
from tidegate.core.declared_budgets import DeclaredBudget, Period
from tidegate.core.declared_limits import DeclaredLimit
from tidegate.core.plan import Raise

MONTH = Period(unit="month")
FIVE = DeclaredBudget(Decimal(5), MONTH)
TEAM = DeclaredBudget(Decimal(7), MONTH, scope="team")


def test_added_budgets_and_limits_are_in_force_beside_the_declared_ones() -> None:
    calls = DeclaredLimit("calls", 60, per_s=60.0)
    plan = compiled(declared(budgets={"all": FIVE}), added=Added({"teams": TEAM}, {"slow": calls}))
    assert [(limit.name, limit.kind) for limit in plan.limits] == [
        ("all", "spend"),
        ("slow", "calls"),
        ("teams", "spend"),
    ]
    assert plan.digest != compiled(declared(budgets={"all": FIVE})).digest


def test_raises_lie_on_the_budget_that_they_raise_and_change_the_plan() -> None:
    raises = (Raise(10, 5.0), Raise(20, 9.0))
    plan = compiled(declared(budgets={"all": FIVE}), added=Added(raises={"all": raises}))
    assert plan.limits[0].raises == raises
    assert plan.digest != compiled(declared(budgets={"all": FIVE})).digest


def test_a_raise_of_a_budget_that_is_gone_says_nothing() -> None:
    assert compiled(declared(), added=Added(raises={"all": (Raise(10, 5.0),)})).limits == ()


def test_a_raise_of_a_value_that_the_budget_does_not_tell_apart_any_more_says_nothing() -> None:
    raises = (Raise(10, 5.0, (("team", "growth"),)), Raise(20, 9.0, (("key", "k"),)))
    plan = compiled(declared(budgets={"all": TEAM}), added=Added(raises={"all": raises}))
    assert plan.limits[0].raises == raises[:1]


@pytest.mark.parametrize(
    "added",
    [
        Added(budgets={"all": TEAM}),
        Added(budgets={"b": DeclaredBudget(Decimal(1), MONTH, only={"route": "nowhere"})}),
        Added(limits={"calm": DeclaredLimit("calls", 1, per_s=1.0)}),
        Added(limits={"l": DeclaredLimit("nothing", 1)}),
    ],
)
def test_what_does_not_fit_is_refused_and_is_said_not_to_be_in_the_file(added: Added) -> None:
    plan = declared(budgets={"all": FIVE}, limits={"calm": DeclaredLimit("calls", 2, per_s=1.0)})
    with pytest.raises(PlanRefused) as refused:
        compiled(plan, added=added)
    assert all("set at run time" in one.message for one in refused.value.complaints)


def test_what_is_wrong_with_the_file_is_said_as_before() -> None:
    plan = declared(budgets={"b": DeclaredBudget(Decimal(1), MONTH, only={"route": "nowhere"})})
    with pytest.raises(PlanRefused) as refused:
        compiled(plan, added=Added(budgets={"all": TEAM}))
    assert [one.path for one in refused.value.complaints] == [("budgets", "b", "only", "route")]
    assert "run time" not in refused.value.complaints[0].message
