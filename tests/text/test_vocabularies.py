"""Vocabularies, as they are loaded for counting."""

import pytest
import quicktok

from tidegate.core import plugs
from tidegate.text.vocabularies import counter, give_memory_back


@pytest.mark.parametrize("encoding", ["cl100k_base", "qwen3"])
def test_a_counter_counts_what_would_be_encoded(encoding: str) -> None:
    text = "Grüße aus Köln, 12345678 mal <|endoftext|> 0.001"
    encoded = quicktok.get_encoding(encoding).encode_ordinary(text)
    assert counter(encoding)(text) == len(encoded)


def test_it_is_found_by_name() -> None:
    assert plugs.load("text", "vocabularies") is counter


def test_memory_can_be_given_back_at_any_time() -> None:
    give_memory_back()
    give_memory_back()
