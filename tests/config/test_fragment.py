"""A budget that came over the API is read as one in the plan file is."""

import os
from decimal import Decimal

import pytest

from tidegate.config.fragment import read_fragment
from tidegate.core.declared_budgets import DeclaredBudget, Period


def test_json_is_read_as_the_file_is() -> None:
    data = b'{"amount": "500.000000001", "per": "30d", "scope": ["team"], "alerts": ["80%", 100]}'
    value, problems = read_fragment(data, DeclaredBudget)
    assert problems == []
    assert value == DeclaredBudget(
        Decimal("500.000000001"), Period(rolling_s=30 * 86400.0), scope=("team",), alerts=(80, 100)
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"per": "month"}', "`amount` is missing"),
        (b'{"amount": -1, "per": "month"}', "amount: "),
        (b'{"amount": "1.0000000001", "per": "month"}', "at most 9 decimals"),
        (b'{"amount": 1, "per": "fortnight"}', "per: expected"),
        (b'{"amount": 1, "per": "month", "colour": "red"}', "colour: unknown key"),
        (b'{"amount": 1, "per": "month", "only": {"team": "${HOME}"}}', "HOME"),
        (b"[", ""),
        (b"", ""),
    ],
)
def test_what_is_wrong_is_said_with_the_way_to_it(data: bytes, told: str) -> None:
    value, problems = read_fragment(data, DeclaredBudget)
    assert value is None
    assert problems and told in problems[0]
    assert os.environ["HOME"] not in "".join(problems)
