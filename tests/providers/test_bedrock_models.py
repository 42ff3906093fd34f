"""A model's family is told by its id, with or without a region before it."""

import pytest

from tidegate.providers._bedrock_models import traits_of


@pytest.mark.parametrize(
    ("model", "thinks", "caches", "one_call"),
    [
        ("anthropic.claude-v2:1", None, True, False),
        ("anthropic.claude-3-haiku-20240307-v1:0", None, True, False),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", None, True, False),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "budget", True, False),
        ("eu.anthropic.claude-opus-4-20250514-v1:0", "budget", True, False),
        ("anthropic.claude-opus-4-1-20250805-v1:0", "budget", True, False),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "budget", True, True),
        ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "budget", True, True),
        ("anthropic.claude-opus-4-6-v1", "adaptive", True, True),
        ("anthropic.claude-sonnet-5", "adaptive", True, True),
        ("anthropic.claude-mythos-preview", "adaptive", True, True),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5",
            "adaptive",
            True,
            True,
        ),
        ("amazon.nova-pro-v1:0", None, True, False),
        ("us.amazon.nova-2-lite-v1:0", "nova", True, False),
        ("openai.gpt-oss-120b-1:0", "flat", False, False),
        ("moonshotai.kimi-k2-thinking", "flat", False, False),
        ("global.openai.gpt-6-astra", "openai", False, False),
        ("deepseek.r1-v1:0", None, False, False),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/abc123",
            "converse",
            True,
            False,
        ),
    ],
)
def test_a_familys_row(model: str, thinks: str | None, caches: bool, one_call: bool) -> None:
    traits = traits_of(model)
    assert (traits.thinks, traits.caches, traits.one_call) == (thinks, caches, one_call)


def test_only_claude_of_late_takes_instructions_in_the_middle() -> None:
    assert traits_of("eu.anthropic.claude-opus-5").system_turns
    for model in ("anthropic.claude-opus-4-6-v1", "amazon.nova-pro-v1:0", "unknown"):
        assert not traits_of(model).system_turns


@pytest.mark.parametrize(
    ("model", "seals"),
    [
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic"),
        ("anthropic.claude-v2:1", "anthropic"),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "anthropic"),
        ("", "anthropic"),
        ("openai.gpt-oss-120b-1:0", "bedrock"),
        ("us.amazon.nova-2-lite-v1:0", "bedrock"),
        ("amazon.nova-pro-v1:0", "bedrock"),
        ("us.deepseek.r1-v1:0", "bedrock"),
    ],
)
def test_whose_reasoning_it_is(model: str, seals: str) -> None:
    assert traits_of(model).seals == seals
