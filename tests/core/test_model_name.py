"""A model's name is found in whatever its server calls it."""

import pytest

from tidegate.core.model_name import family, plain_name


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("openai/o3-mini", "o3-mini"),
        ("Qwen/Qwen3-8B", "Qwen3-8B"),
        ("anthropic.claude-opus-5", "claude-opus-5"),
        ("us-gov.anthropic.claude-opus-5", "claude-opus-5"),
        ("global.amazon.nova-2-lite-v1:0", "nova-2-lite-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/openai.gpt-oss-20b-1:0", "gpt-oss-20b-1:0"),
        ("meta.llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0"),
    ],
)
def test_a_name_without_what_stands_before_it(model: str, name: str) -> None:
    assert plain_name(model) == name


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("gpt-4o-2024-08-06", "gpt"),
        ("openai/o3-mini", "gpt"),
        ("chatgpt-4o-latest", "gpt"),
        ("us.anthropic.claude-opus-5", "claude"),
        ("meta.llama3-1-8b-instruct-v1:0", "llama"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama"),
        ("Mixtral-8x7B", "mistral"),
        ("gemma-3", "gemini"),
        ("Qwen/QwQ-32B", "qwen"),
        ("house-model", "house"),
        ("4x", None),
    ],
)
def test_which_family_a_model_is_of(model: str, kind: str | None) -> None:
    assert family(model) == kind
