"""How alike two texts are, against plain reckonings of the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.graders._alike import MAX_EDIT_CHARS, TooLong, bleu, edits, harmonic, rouge, runs

WORDS = st.lists(st.sampled_from("abc"), max_size=12)


def plain_edits(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one):
        before, row = row, [i + 1]
        for j, b in enumerate(other):
            row.append(min(before[j] + (a != b), before[j + 1] + 1, row[j] + 1))
    return row[-1]


@given(st.text("abc", max_size=30), st.text("abc", max_size=30))
def test_edits_are_those_of_the_table(one: str, other: str) -> None:
    assert edits(one, other) == plain_edits(one, other) == edits(other, one)


def test_edits_of_long_texts_are_counted_where_only_a_little_differs() -> None:
    long = "x" * 900_000
    assert edits(long + "abc" + long, long + "abd" + long) == 1
    assert edits(long, "") == 900_000
    with pytest.raises(TooLong):
        edits("a" * (MAX_EDIT_CHARS + 1), "b" * (MAX_EDIT_CHARS + 1))


def test_runs_and_rouge_by_hand() -> None:
    assert runs("abab", 2) == {("a", "b"): 2, ("b", "a"): 1}
    assert runs("a", 2) == {}
    assert rouge(["a", "b", "c", "d"], ["a", "b", "x"], 1) == (2 / 3, 2 / 4)
    assert rouge([], ["a"], 1) == (0.0, 0.0)
    assert harmonic(0.0, 0.0) == 0.0


def test_bleu_by_hand() -> None:
    said, wanted = ["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "f"]
    exact = math.exp((math.log(4 / 5) + math.log(3 / 4) + math.log(2 / 3) + math.log(1 / 2)) / 4)
    assert bleu(said, [wanted]) == pytest.approx(exact)
    shorter = math.exp(1 - 6 / 5)
    assert bleu(said, [["a", "b", "c", "d", "e", "f"]]) == pytest.approx(shorter)
    assert bleu([], [wanted]) == 0.0


@given(WORDS, WORDS)
def test_scores_are_shares_and_a_text_is_like_itself(one: list[str], other: list[str]) -> None:
    assert 0 <= bleu(one, [other]) <= 1
    assert all(0 <= part <= 1 for part in rouge(one, other, 2))
    if len(one) >= 4:
        assert bleu(one, [other, one]) == pytest.approx(1)
