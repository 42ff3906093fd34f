"""A text is read by the sentence, nothing of it is torn in two, and no length of it is dear."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cpu import cpu_s

from tidegate.guardrails._injection_reading import MOST_WORDS, features, sentences

LONG = 400_000


def test_a_sentence_is_its_words() -> None:
    assert sentences('He said: "Go on." Then\nnothing') == [
        ["he", "said", ":"],
        ['"', "go", "on", ".", '"'],
        ["then"],
        ["nothing"],
    ]
    assert sentences("\u4f60\u597d\u3002ok") == [["\u4f60", "\u597d", "\u3002"], ["ok"]]
    assert sentences(" \n ") == []


def test_a_long_one_comes_in_parts_that_overlap() -> None:
    words = [f"w{number}" for number in range(200)]
    parts = sentences(" ".join(words))
    assert all(len(it) <= MOST_WORDS for it in parts)
    pairs = {pair for it in parts for pair in pairwise(it)}
    assert pairs == set(pairwise(words))


def test_its_beginning_and_its_end_are_told() -> None:
    assert features(["say", "it"]) == [
        "say",
        "it",
        "say it",
        "^ say",
        "^ say it",
        "^ say it",
        "it $",
    ]


@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    for words in sentences(text):
        assert words and features(words)


@pytest.mark.parametrize(
    "text",
    ["a" * LONG, "a " * (LONG // 2), "." * LONG, " " * LONG, "\n" * LONG, ". " * (LONG // 2),
     '."' * (LONG // 2), "\u4e00" * LONG, "' ) ] \n" * (LONG // 7)],
    ids=["letters", "words", "stops", "spaces", "lines", "ends", "quotes", "han", "mixed"],
)  # fmt: skip
def test_time_grows_with_the_length_and_no_faster(text: str) -> None:
    assert cpu_s(lambda: sentences(text)) < 2.0
