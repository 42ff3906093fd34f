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
    ("model", "kin"),
    [
        ("gpt-4o-mini", "gpt"),
        ("o3-mini", "gpt"),
        ("Qwen/Qwen3-8B", "qwen"),
        ("meta-llama/Meta-Llama-3-8B", "llama"),
        ("us.anthropic.claude-sonnet-4", "claude"),
        ("7b", "7b"),
    ],
)
def test_models_of_one_line_are_a_family(model: str, kin: str) -> None:
    assert family(model) == kin
