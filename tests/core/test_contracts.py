import pytest
from tests.core.plans import compiled, declared

from tidegate.core.compile import PlanRefused
from tidegate.core.contracts import compile_contract
from tidegate.core.declared_contracts import DeclaredContract
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.facts import Checks
from tidegate.core.plan import Contract


def said(contract: DeclaredContract | None) -> list[str]:
    """What is wrong with it, each with the key that it is about."""
    found: list[str] = []
    compile_contract(contract, (), Checks(), lambda path, what: found.append(f"{path}: {what}"))
    return found


def test_a_route_without_a_contract_asks_nothing():
    assert compile_contract(None, (), Checks(), lambda *_: None) is None
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
