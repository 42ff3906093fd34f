"""Vocabularies, as they are loaded for counting."""

import pytest
import quicktok

from tidegate.core import plugs
from tidegate.text import tokens, vocabularies
from tidegate.text.vocabularies import counter, give_memory_back


@pytest.mark.parametrize("encoding", ["cl100k_base", "qwen3"])
def test_a_counter_counts_what_would_be_encoded(encoding: str) -> None:
    text = "Grüße aus Köln, 12345678 mal <|endoftext|> 0.001"
    encoded = quicktok.get_encoding(encoding).encode_ordinary(text)
    assert counter(encoding)(text) == len(encoded)


def test_memory_is_given_back_when_a_vocabulary_comes_and_not_at_each_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[None] = []
    monkeypatch.setattr(vocabularies, "give_memory_back", lambda: given.append(None))
    count = counter("cl100k_base")
    assert [count("Hello, world!") for _ in range(3)] == [4, 4, 4]
    assert given == [None]
    tokens.load("cl100k")
    given.clear()
    assert tokens.count_exact(b"Hello, world!", "cl100k") == 4
    assert given == []


def test_it_is_found_by_name() -> None:
    assert plugs.load("text", "vocabularies") is counter


def test_memory_can_be_given_back_at_any_time() -> None:
    give_memory_back()
    give_memory_back()
