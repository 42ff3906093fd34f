from decimal import Decimal

from tidegate.core.declared_budgets import MAX_BUDGET_USD, DeclaredBudget, Period
from tidegate.core.units import usd_to_nanousd


def test_a_budget_of_which_nothing_is_said_is_hard_and_alerts_on_the_way():
    budget = DeclaredBudget(Decimal(5), Period(unit="day"))
    assert budget.hard
    assert budget.alerts == (50, 80, 100)
    assert budget.scope == ()


def test_the_largest_budget_is_counted_in_64_bits():
    assert usd_to_nanousd(MAX_BUDGET_USD) < 2**63
