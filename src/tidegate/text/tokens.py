"""Exact token counts where the model's tokenizer is known; otherwise a labelled estimate."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from tidegate.core import plugs

# The plan's names for tokenizers, and quicktok's. Of text that is no special token, which is all
# that is counted, Harmony's vocabulary is o200k's.
ENCODINGS: Final[Mapping[str, str]] = {
    "o200k": "o200k_base",
    "cl100k": "cl100k_base",
    "o200k_harmony": "o200k_base",
    "llama3": "llama3",
    "qwen3": "qwen3",
}
# English text in common vocabularies runs at about four bytes a token.
BYTES_A_TOKEN = 4
# Text of any length has no fewer tokens than this allows, in any vocabulary in use.
MOST_BYTES_A_TOKEN = 16


def count_exact(text: bytes, tokenizer: str) -> int:
    """Tokens of `text` in `tokenizer`, one of ENCODINGS. Loads it on first use."""
    return _counter(ENCODINGS[tokenizer])(text.decode("utf-8", "replace"))


def load(tokenizer: str) -> None:
    """Loads a tokenizer ahead of its first use: it takes a third of a second."""
    _counter(ENCODINGS[tokenizer])


def estimate(text_bytes: int) -> int:
    """About how many tokens `text_bytes` bytes of text are, rounded up."""
    return -(-text_bytes // BYTES_A_TOKEN)


def count(text: bytes, tokenizer: str | None) -> int:
    """Exact with a known tokenizer, else an estimate."""
    if tokenizer is None or tokenizer not in ENCODINGS:
        return estimate(len(text))
    return count_exact(text, tokenizer)


@lru_cache(maxsize=len(ENCODINGS))
def _counter(encoding: str) -> Callable[[str], int]:
    found: Callable[[str], int] = plugs.load("text", "vocabularies")(encoding)
    return found
