"""A route's objectives: its preset's, with what it says itself; and what contradicts itself."""

from decimal import Decimal
from typing import Any

import pytest
from tests.core.plans import compiled, declared

from tidegate.core.compile import PlanRefused
from tidegate.core.compile_objectives import check_objectives, objectives_of
from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_objectives import (
    DeclaredErrorBudget,
    DeclaredExemption,
    DeclaredLatencyObjective,
    DeclaredMaintenance,
    DeclaredSlo,
    DeclaredTurnObjective,
)
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.objective import (
    DAY_S,
    ErrorBudget,
    Exemption,
    Maintenance,
    Objective,
    RouteObjectives,
    preset_objectives,
)

FAST = DeclaredLatencyObjective(Decimal("99.5"), 1.5)


def route(**fields: Any) -> dict[str, DeclaredRoute]:
    contract = DeclaredContract(json=True) if fields.pop("contract", False) else None
    return {"chat": DeclaredRoute("llama", slo=DeclaredSlo(**fields), contract=contract)}


def of(**fields: Any) -> dict[str, Objective]:
    [found] = objectives_of(route(**fields))
    return {one.sli: one for one in found.objectives}


def said(**fields: Any) -> list[str]:
    found: list[str] = []
    check_objectives(route(**fields), lambda path, what: found.append(".".join(path[3:])))
    return found


def test_a_route_that_says_nothing_has_none():
    assert objectives_of({"chat": DeclaredRoute("llama")}) == ()


def test_a_preset_is_its_objectives_and_validity_is_one_only_under_a_contract():
    whole = preset_objectives("chat")
    assert of(preset="chat", contract=True) == whole
    assert of(preset="chat") == {k: v for k, v in whole.items() if k != "validity"}


def test_what_the_route_says_stands_before_its_preset():
    found = of(preset="chat", ttft=FAST, availability=Decimal("99.95"), without=("abandon",))
    assert found["ttft"] == Objective("ttft", 0.995, 1.5)
    assert found["availability"] == Objective("availability", 0.9995)
    assert "abandon" not in found and "turn_time" in found
    long = DeclaredTurnObjective(Decimal(95), 4.0, 0.03)
    assert of(preset="chat", turn_time=long)["turn_time"] == Objective("turn_time", 0.95, 4.0, 0.03)
    assert of(batch=Decimal(99)) == {"batch": Objective("batch", 0.99)}


def test_the_error_budget_is_compiled_whole():
    budget = DeclaredErrorBudget(
        caution_below=60,
        restricted_below=30,
        thaw_above=5,
        review_above=10,
        owner="eve",
        approvers=3,
        money_caution_at=70,
        money_restricted_at=90,
        exemptions=(DeclaredExemption(5.0, "caution", "launch", "eve"),),
        maintenance=(DeclaredMaintenance(1.0, 2.0, "database"),),
    )
    [found] = objectives_of(route(preset="voice", period_s=28 * DAY_S, error_budget=budget))
    assert found == RouteObjectives(
        "chat",
        tuple(found.objectives),
        ErrorBudget(
            *(28 * DAY_S, 0.6, 0.3, 0.05, 0.1, "eve", 3, 70, 90),
            exemptions=(Exemption(5.0, "caution", "launch", "eve"),),
            maintenance=(Maintenance(1.0, 2.0, "database"),),
        ),
        "voice",
    )


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({}, [""]),
        ({"preset": "batch", "without": tuple(preset_objectives("batch"))}, [""]),
        ({"preset": "chat", "without": ("abandon", "batch")}, ["without.1"]),
        ({"preset": "chat", "ttft": FAST, "without": ("ttft",)}, ["without.0"]),
        ({"validity": Decimal(99)}, ["validity"]),
        ({"validity": Decimal(99), "contract": True}, []),
        (
            {"preset": "chat", "error_budget": DeclaredErrorBudget(restricted_below=60)},
            ["error_budget"],
        ),
        ({"preset": "chat", "error_budget": DeclaredErrorBudget(thaw_above=30)}, ["error_budget"]),
        (
            {"preset": "chat", "error_budget": DeclaredErrorBudget(money_caution_at=101)},
            ["error_budget.money_caution_at"],
        ),
        (
            {
                "preset": "chat",
                "error_budget": DeclaredErrorBudget(maintenance=(DeclaredMaintenance(2, 2, "x"),)),
            },
            ["error_budget.maintenance.0"],
        ),
    ],
)
def test_what_contradicts_itself_is_said(fields, at):
    assert said(**fields) == at


def test_a_plan_with_such_objectives_is_refused_and_others_change_nothing_for_requests():
    with pytest.raises(PlanRefused) as caught:
        compiled(declared(routes=route()))
    assert [one.path for one in caught.value.complaints] == [("routes", "chat", "slo")]
    assert compiled(declared(routes=route(preset="chat"))).digest == compiled(declared()).digest
