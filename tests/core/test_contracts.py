from typing import Any

import pytest
from tests.core.plans import compiled, declared

from tidegate.core.compile import PlanRefused
from tidegate.core.contracts import compile_contract
from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_routes import DeclaredFallbacks, DeclaredRetry, DeclaredRoute
from tidegate.core.facts import Checks
from tidegate.core.plan import Contract


def said(contract: DeclaredContract | None, **fields: Any) -> list[str]:
    """What is wrong with it, each with the key that it is about; `fields` are its route's."""
    found: list[str] = []
    route = DeclaredRoute("llama", contract=contract, **fields)
    compile_contract(route, (), Checks(), lambda path, what: found.append(f"{path}: {what}"))
    return found


def test_a_route_without_a_contract_asks_nothing():
    assert said(None) == []
    assert compiled(declared()).routes["chat"].contract is None


def test_a_contract_is_part_of_its_route():
    contract = DeclaredContract(
        json_schema="{}", tools=True, on_violation="fail", buffer=True, max_length=10
    )
    plan = compiled(declared(routes={"chat": DeclaredRoute("llama", contract=contract)}))
    assert plan.routes["chat"].contract == Contract(
        json_schema="{}", tools=True, on_violation="fail", buffer=True, max_chars=10
    )
    assert plan.digest != compiled(declared()).digest


@pytest.mark.parametrize(
    ("contract", "what"),
    [
        (DeclaredContract(), "(): this asks nothing"),
        (DeclaredContract(on_violation="fail"), "(): this asks nothing"),
        (DeclaredContract(json=True, buffer=True), "('buffer',): an answer that is passed on"),
        (DeclaredContract(json_schema='{"type": 1}'), "('json_schema',): 1 is not valid"),
        (DeclaredContract(regex="("), "('regex',): "),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(contract, what):
    [found] = said(contract)
    assert found.startswith(what)


def test_a_fallback_needs_a_chain_and_another_attempt_a_budget():
    falling = DeclaredContract(json=True, on_violation="fallback")
    again = DeclaredContract(json=True, on_violation="retry")
    chain = DeclaredFallbacks(malformed=("b",))
    never = DeclaredRetry(budget_percent=0, budget_least=0)
    [found] = said(falling)
    assert found.startswith("('on_violation',): there is nothing to fall back on")
    [found] = said(again, retry=never)
    assert found.startswith("('on_violation',): `retry.budget_percent` and")
    assert said(falling, fallbacks=chain) == said(again) == []
    assert said(DeclaredContract(json=True, on_violation="fail"), retry=never) == []
    assert said(again, retry=DeclaredRetry(budget_percent=0)) == []


def test_each_alone_is_a_contract():
    for contract in (
        DeclaredContract(json=True),
        DeclaredContract(tools=True),
        DeclaredContract(regex="^a"),
        DeclaredContract(max_length=5),
    ):
        assert said(contract) == []


def test_a_plan_with_a_contract_that_does_not_compile_is_refused():
    routes = {"chat": DeclaredRoute("llama", contract=DeclaredContract(regex="("))}
    with pytest.raises(PlanRefused, match=r"routes\.chat\.contract\.regex"):
        compiled(declared(routes=routes))
