"""Counts, beside tiktoken's own splitting and merging over the same vocabulary."""

from collections.abc import Callable
from functools import lru_cache

import pytest
import quicktok
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from tidegate.text import tokens

TIKTOKENS: dict[str, Callable[[], dict[str, object]]] = {
    "cl100k": openai_public.cl100k_base,
    "o200k": openai_public.o200k_base,
}
TEXTS = [
    "",
    "Hello, world!",
    "def f(x):\n    return x**2  # note\n\n\n",
    "Grüße aus Köln, 12345678 mal 0.001",
    "日本語のテキスト、한국어、العربية",
    "🌊👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "  \t\r\n \u3000 x   ",
    "I'm you'LL they'Ve",
    "<|endoftext|>",
    "z" * 5000,
]


@lru_cache(maxsize=2)
def oracle(tokenizer: str) -> tiktoken.Encoding:
    """tiktoken's Encoding, its ranks taken from the vocabulary that is installed here."""
    ours = quicktok.get_encoding(tokens.ENCODINGS[tokenizer])
    ranks: dict[bytes, int] = {}
    for token in range(ours.n_vocab):
        try:
            ranks[ours.decode_single_token_bytes(token)] = token
        except (KeyError, ValueError, IndexError):
            continue  # a number between the vocabulary and the special tokens
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai_public, "load_tiktoken_bpe", lambda *_, **__: ranks)
        parts = TIKTOKENS[tokenizer]()
    specials = parts["special_tokens"]
    parts["mergeable_ranks"] = {
        word: rank
        for word, rank in ranks.items()
        if rank not in specials.values()  # type: ignore[attr-defined]
    }
    return tiktoken.Encoding(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("tokenizer", TIKTOKENS)
def test_a_count_is_tiktokens(tokenizer: str, text: str) -> None:
    expected = len(oracle(tokenizer).encode_ordinary(text))
    assert tokens.count_exact(text.encode(), tokenizer) == expected


# Which characters are letters is a matter of Unicode's version, and the two know different ones.
ASSIGNED = st.characters(exclude_categories=("Cn", "Cs", "Co"))


@settings(max_examples=200)
@given(st.text(ASSIGNED, max_size=200) | st.text("ab \n'1.é", max_size=100))
@pytest.mark.parametrize("tokenizer", TIKTOKENS)
def test_any_text_is_counted_as_tiktoken_does(tokenizer: str, text: str) -> None:
    expected = len(oracle(tokenizer).encode_ordinary(text))
    assert tokens.count_exact(text.encode(), tokenizer) == expected


@pytest.mark.parametrize("tokenizer", tokens.ENCODINGS)
def test_every_tokenizer_that_a_plan_may_name_loads(tokenizer: str) -> None:
    tokens.load(tokenizer)
    assert 1 <= tokens.count(b"Hello, world!", tokenizer) <= 13


def test_bytes_that_are_no_text_are_counted_all_the_same() -> None:
    assert tokens.count_exact(b"\xff\xfe", "cl100k") > 0


def test_without_a_tokenizer_it_is_an_estimate() -> None:
    assert [tokens.estimate(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]
    assert tokens.count(b"12345", None) == tokens.count(b"12345", "another") == 2


@settings(max_examples=50)
@given(st.text(max_size=200) | st.sampled_from(["<|start|>user", "<|channel|>final<|message|>x"]))
def test_harmony_counts_text_by_the_vocabulary_of_o200k(text: str) -> None:
    own = quicktok.get_encoding("o200k_harmony").count(text)
    assert tokens.count_exact(text.encode(errors="replace"), "o200k_harmony") == own
