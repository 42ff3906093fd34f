"""A scope is read off a receipt, and `only` decides whether a limit applies."""

import pytest

from tidegate.core.limit import CALLER_DIMENSIONS, TARGET_DIMENSIONS
from tidegate.core.plan import Limit
from tidegate.core.receipt import Receipt
from tidegate.gateway import in_force
from tidegate.gateway.in_force import InForce
from tidegate.limits.requests import plug


def receipt(**fields: object) -> Receipt:
    return Receipt("id", 1.0, "g", "chat", team="growth", route="chat", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        ((), ""),
        (("team",), "growth"),
        (("attribute.app",), "search"),
        (("route", "team"), "chat\x1fgrowth"),
        (("customer", "team"), None),
        (("attribute.other",), None),
    ],
)
def test_a_scope_is_read_off_the_receipt(scope: tuple[str, ...], text: str | None) -> None:
    read = in_force.scope_reader(scope)
    assert read(receipt(attributes={"app": "search"})) == text


@pytest.mark.parametrize("dimension", [*CALLER_DIMENSIONS, *TARGET_DIMENSIONS, "attribute.app"])
def test_each_dimension_tells_requests_apart_and_leaves_out_those_without_it(
    dimension: str,
) -> None:
    def of(value: str | None) -> Receipt:
        one = Receipt("id", 1.0, "g", "chat")
        if dimension.startswith("attribute."):
            one.attributes = None if value is None else {"app": value}
        else:
            setattr(one, {**CALLER_DIMENSIONS, **TARGET_DIMENSIONS}[dimension], value)
        return one

    read = in_force.scope_reader((dimension,))
    assert [read(of(value)) for value in ("a", "b", None)] == ["a", "b", None]
    other = InForce(Limit("x", "requests", 5, (), ((dimension, "a"),), per_s=60.0), plug, None)
    assert [other.applies(of(value)) for value in ("a", "b", None)] == [True, False, False]


@pytest.mark.parametrize(
    ("only", "applies"),
    [
        ((), True),
        ((("team", "growth"),), True),
        ((("team", "growth"), ("route", "other")), False),
        ((("customer", "acme"),), False),
        ((("attribute.app", "search"),), True),
    ],
)
def test_only_restricts_a_limit(only: tuple[tuple[str, str], ...], applies: bool) -> None:
    it = InForce(Limit("x", "requests", 5, (), only, per_s=60.0), plug, None)
    assert it.applies(receipt(attributes={"app": "search"})) is applies
