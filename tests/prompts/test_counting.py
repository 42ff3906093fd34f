"""Tokens of a prompt, exact where the model's tokenizer is known."""

import pytest
from msgspec.structs import replace
from tests.prompts.making import prompt

from tidegate.core.prompt import Output, Pin
from tidegate.prompts.counting import TOKENS_A_MESSAGE, Counter, counter_of, tokenizer_of
from tidegate.prompts.rendered import Message


@pytest.mark.parametrize(
    ("model", "tokenizer"),
    [
        ("gpt-4o-2024-08-06", "o200k"),
        ("openai/gpt-5-mini", "o200k"),
        ("gpt-4", "cl100k"),
        ("gpt-4-turbo", "cl100k"),
        ("gpt-4.1", "o200k"),
        ("gpt-oss-120b", "o200k_harmony"),
        ("meta-llama/Llama-3.1-8B", "llama3"),
        ("Qwen3-8B", "qwen3"),
        ("claude-sonnet-4-5", None),
        ("gpt-40", None),
    ],
)
def test_models_have_their_tokenizers(model: str, tokenizer: str | None) -> None:
    assert tokenizer_of(model) == tokenizer


def test_messages_tools_and_schema_are_counted() -> None:
    asked = replace(prompt("x"), tools="abcdefgh", output=Output(json_schema="abcd"))
    counter = Counter()
    assert not counter.exact
    assert "estimated" in counter.named
    found = counter.prompt(asked, [Message("user", "a" * 40), Message("user", "a")])
    assert found == 10 + 1 + 2 * TOKENS_A_MESSAGE + 2 + 1


def test_the_first_model_whose_tokenizer_is_known_counts() -> None:
    asked = replace(prompt("x"), pins=(Pin("claude-sonnet-4-5"), Pin("gpt-4o")))
    assert counter_of(asked) == Counter("o200k")
    assert counter_of(asked).exact
    assert counter_of(asked).of("hello world") == 2
    assert counter_of(prompt("x"), "cl100k") == Counter("cl100k")
    with pytest.raises(ValueError, match="there is no tokenizer"):
        counter_of(asked, "nonesuch")
