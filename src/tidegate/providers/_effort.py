"""A budget of thought in the word of those who take no budget."""

from typing import Final

from tidegate.core.conversation import Effort, Thinking

# The most that is still called so; what is more is `high`.
_BUDGETS_TOKENS: Final[tuple[tuple[int, Effort], ...]] = ((2_048, "low"), (8_192, "medium"))


def effort_of(wanted: Thinking) -> Effort | None:
    """The caller's own, else what the budget comes to; None where the model decides."""
    if wanted.effort is not None or wanted.budget_tokens is None:
        return wanted.effort
    budget_tokens = wanted.budget_tokens
    return next((word for most, word in _BUDGETS_TOKENS if budget_tokens <= most), "high")
