"""Budgets of thought in words."""

import pytest

from tidegate.core.conversation import Thinking
from tidegate.providers._effort import effort_of


@pytest.mark.parametrize(
    ("wanted", "effort"),
    [
        (Thinking(), None),
        (Thinking(budget_tokens=2_048), "low"),
        (Thinking(budget_tokens=2_049), "medium"),
        (Thinking(budget_tokens=8_192), "medium"),
        (Thinking(budget_tokens=8_193), "high"),
        (Thinking(effort="max", budget_tokens=1_024), "max"),
    ],
)
def test_a_budget_is_a_word_where_the_caller_has_none(wanted: Thinking, effort: str | None) -> None:
    assert effort_of(wanted) == effort
