"""A scope is read off a receipt, and `only` decides whether a limit applies."""

import pytest

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
