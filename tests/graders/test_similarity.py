"""How like an answer is to what is expected."""

from tests.graders.graded import case, grade


def test_the_likest_of_several_counts() -> None:
    found = grade("similarity", {"to": ["x y", "a b c d"]}, "a b c z")
    assert (found.verdict, found.score) == ("pass", 0.75)


def test_recall_alone_forgives_what_is_said_besides() -> None:
    of = case(expected="the cat")
    assert grade("similarity", {"measure": "rouge_recall"}, "the cat and more", of).score == 1
    assert grade("similarity", {"measure": "rouge"}, "the cat and more", of).score != 1


def test_edits_by_ratio_and_by_count() -> None:
    of = case(expected="kitten")
    found = grade("similarity", {"measure": "levenshtein"}, "SITTING", of)
    assert found.score == 1 - 3 / 7
    options = {"measure": "levenshtein", "most_edits": 2}
    assert grade("similarity", options, "sitting", of).verdict == "fail"


def test_texts_too_long_for_their_edits_are_an_error() -> None:
    options = {"measure": "levenshtein", "to": "b" * 60_000}
    assert grade("similarity", options, "a" * 60_000).verdict == "error"


def test_nothing_to_compare_with_is_an_error() -> None:
    assert grade("similarity", {}, "a").verdict == "error"
