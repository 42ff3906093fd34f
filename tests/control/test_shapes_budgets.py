from decimal import Decimal

import msgspec
import pytest

from tidegate.control.shapes_budgets import EndBudget, NewBudget, NewRaise


@pytest.mark.parametrize("shape", [NewBudget, NewRaise, EndBudget])
def test_a_body_forbids_what_it_does_not_know(shape: type[msgspec.Struct]) -> None:
    assert shape.__struct_config__.forbid_unknown_fields


def test_money_is_exact_as_text_and_as_a_number() -> None:
    for text in ('"0.1"', "0.1"):
        body = f'{{"name": "a", "amount": {text}, "per": "day"}}'
        assert msgspec.json.decode(body, type=NewBudget).amount == Decimal("0.1")
