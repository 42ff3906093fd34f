"""What is known of Anthropic's models by their names."""

import pytest

from tidegate.providers._anthropic_models import (
    always_thinks,
    caches_for_an_hour,
    ceiling_tokens,
    least_cached_tokens,
    samples,
    takes_budgets,
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


@pytest.mark.parametrize(
    ("model", "sampled", "budgets"),
    [
        ("claude-3-7-sonnet-20250219", "claude", True),
        ("claude-sonnet-4-20250514", "claude", True),
        ("claude-opus-4-1-20250805", "one", True),
        ("eu.anthropic.claude-haiku-4-5-20251001-v1:0", "one", True),
        ("claude-opus-4-6", "one", True),
        ("claude-opus-4-7", "never", False),
        ("us.anthropic.claude-fable-5", "never", False),
        ("smollm2-135m", "freely", True),
    ],
)
def test_later_models_are_told_less(model: str, sampled: str, budgets: bool) -> None:
    assert samples(model) == sampled
    assert takes_budgets(model) == budgets


def test_some_cannot_be_told_not_to_think() -> None:
    for model in ("claude-fable-5", "us.anthropic.claude-mythos-preview", "claude-opus-5-5"):
        assert always_thinks(model)
    for model in ("claude-opus-4-8", "claude-opus-5", "claude-sonnet-5-5", "smollm2-135m"):
        assert not always_thinks(model)


@pytest.mark.parametrize(
    ("model", "least", "on_bedrock"),
    [
        ("claude-sonnet-4-20250514", 1024, 1024),
        ("claude-opus-4-1", 1024, 1024),
        ("claude-sonnet-4-5", 1024, 1024),
        ("claude-sonnet-4-6", 2048, 2048),
        ("claude-opus-4-5", 4096, 4096),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 4096, 4096),
        ("claude-3-7-sonnet-latest", 1024, 1024),
        ("claude-3-5-haiku-latest", 2048, None),
        ("claude-2.1", None, None),
        ("claude-instant-v1", None, None),
        ("qwen3", None, None),
    ],
)
def test_the_least_that_is_cached(model: str, least: int | None, on_bedrock: int | None) -> None:
    assert least_cached_tokens(model) == least
    assert least_cached_tokens(model, on_bedrock=True) == on_bedrock


def test_on_bedrock_only_later_ones_cache_for_an_hour() -> None:
    assert caches_for_an_hour("claude-3-7-sonnet-latest", on_bedrock=False)
    assert not caches_for_an_hour("claude-opus-4-1", on_bedrock=True)
    assert caches_for_an_hour("claude-haiku-4-5", on_bedrock=True)
