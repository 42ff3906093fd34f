from msgspec.structs import fields

from tidegate.config.shape import shape_of
from tidegate.core.declared_objectives import DeclaredErrorBudget, DeclaredSlo
from tidegate.core.objective import INDICATORS, ErrorBudget


def test_every_indicator_can_have_an_objective():
    own = {"preset", "period_s", "without", "error_budget"}
    assert {field.name for field in fields(DeclaredSlo)} - own == set(INDICATORS)


def test_defaults_are_the_error_budget_s_own():
    declared, budget = DeclaredErrorBudget(), ErrorBudget()
    parts = ("caution_below", "caution"), ("restricted_below", "restricted"), ("thaw_above", "thaw")
    for ours, its in (*parts, ("review_above", "review")):
        assert getattr(declared, ours) == getattr(budget, its) * 100
    assert declared.money_caution_at == budget.caution_percent
    assert declared.money_restricted_at == budget.restricted_percent
    assert DeclaredSlo().period_s == budget.period_s


def test_targets_are_read_as_percentages_and_times_as_moments():
    assert shape_of(DeclaredSlo).by_key["availability"].shape.read == "percentage"
    assert shape_of(DeclaredSlo).by_key["period"].shape.read == "duration"
