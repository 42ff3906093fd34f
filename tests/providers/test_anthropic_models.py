"""What is known of Anthropic's models by their names."""

import pytest

from tidegate.providers._anthropic_models import (
    ceiling_tokens,
    takes_system_turns,
    thinks_by_effort,
)


@pytest.mark.parametrize(
    ("model", "ceiling", "by_effort", "system_turns"),
    [
        ("claude-3-haiku-20240307", 4_096, False, False),
        ("claude-3-5-sonnet-20241022", 8_192, False, False),
        ("claude-3-7-sonnet-20250219", 64_000, False, False),
        ("claude-opus-4-20250514", 32_000, False, False),
        ("claude-opus-4-1-20250805", 32_000, False, False),
        ("claude-sonnet-4-20250514", 64_000, False, False),
        ("claude-sonnet-4-5-20250929", 64_000, False, False),
        ("claude-opus-4-6", 64_000, True, False),
        ("claude-opus-4-8-20260528", 64_000, True, True),
        ("claude-sonnet-5", 64_000, True, True),
        ("claude-opus-5-20270101", 64_000, True, True),
        ("us.anthropic.claude-opus-4-8-20260528-v1:0", 64_000, True, True),
        ("smollm2-135m", 4_096, False, False),
    ],
)
def test_models(model: str, ceiling: int, by_effort: bool, system_turns: bool) -> None:
    assert ceiling_tokens(model) == ceiling
    assert thinks_by_effort(model) == by_effort
    assert takes_system_turns(model) == system_turns
