"""How many tokens a prompt is, by the tokenizer of the model that it is written for."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tidegate.core.model_name import plain_name
from tidegate.core.prompt import Prompt
from tidegate.prompts.rendered import Message
from tidegate.text import tokens

# Template tokens around each message of a chat, as in OpenAI's published counting recipe.
TOKENS_A_MESSAGE: Final = 4
# Beginnings of models' names, the longest first where one is the beginning of another.
_TOKENIZERS: Final = (
    ("gpt-oss", "o200k_harmony"),
    ("gpt-3.5", "cl100k"),
    ("gpt-4o", "o200k"),
    ("gpt-4.", "o200k"),
    ("gpt-4-", "cl100k"),
    ("gpt-5", "o200k"),
    ("chatgpt-4o", "o200k"),
    ("o1", "o200k"),
    ("o3", "o200k"),
    ("o4", "o200k"),
    ("llama-3", "llama3"),
    ("meta-llama-3", "llama3"),
    ("qwen3", "qwen3"),
)


class Counter(Struct, frozen=True):
    """Counts by one tokenizer; without one it estimates, and `exact` says so."""

    tokenizer: str | None = None

    @property
    def exact(self) -> bool:
        return self.tokenizer is not None

    @property
    def named(self) -> str:
        return self.tokenizer or "estimated, four bytes a token"

    def of(self, text: str) -> int:
        """Tokens of a text."""
        return tokens.count(text.encode(), self.tokenizer)

    def prompt(self, prompt: Prompt, messages: Sequence[Message]) -> int:
        """The input of one request: its messages, tools, and the schema of its answer."""
        found = sum(self.of(it.text) + TOKENS_A_MESSAGE for it in messages)
        return found + sum(
            self.of(it) for it in (prompt.tools, prompt.output.json_schema) if it is not None
        )


def counter_of(prompt: Prompt, tokenizer: str | None = None) -> Counter:
    """The counter of a tokenizer, or of the first of the prompt's models whose tokenizer is known.
    ValueError where there is no such tokenizer."""
    if tokenizer is not None:
        if tokenizer not in tokens.ENCODINGS:
            raise ValueError(f"there is no tokenizer {tokenizer}: {', '.join(tokens.ENCODINGS)}")
        return Counter(tokenizer)
    return Counter(next((it for pin in prompt.pins if (it := tokenizer_of(pin.model))), None))


def tokenizer_of(model: str) -> str | None:
    """The tokenizer of a model by its name; None where it is not known."""
    name = plain_name(model).lower()
    if name == "gpt-4":
        return "cl100k"
    return next((it for start, it in _TOKENIZERS if name.startswith(start)), None)
