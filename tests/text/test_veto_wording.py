"""Tables of words: in small letters, each in one place."""

import pytest

from tidegate.text import veto_wording as wording


@pytest.mark.parametrize(
    "words",
    [
        wording.NEGATIONS,
        wording.SMALL,
        wording.SAME,
        wording.OPPOSITES,
        wording.UNITS,
        wording.ONES,
    ],
    ids=["negations", "small", "same", "opposites", "units", "ones"],
)
def test_words_are_in_small_letters(words: frozenset[str]) -> None:
    assert [it for it in words if it != it.casefold()] == []


def test_what_is_the_opposite_of_a_word_has_it_for_its_own() -> None:
    for word, others in wording.OPPOSITES.items():
        assert word not in others
        assert all(word in wording.OPPOSITES[it] for it in others)


def test_words_that_mean_the_same_are_no_opposites() -> None:
    for word, same in wording.SAME.items():
        assert same not in wording.OPPOSITES.get(word, ())


def test_small_words_are_no_negations() -> None:
    assert wording.SMALL.isdisjoint(wording.NEGATIONS)


def test_numbers_in_words() -> None:
    assert wording.ONES["nineteen"] == 19
    assert {w: n for w, n in wording.TENS.items() if n % 10 == 0 and n >= 20} == wording.TENS
    assert wording.TENS["ninety"] == 90
    assert wording.ORDINALS["twelfth"] == 12
