"""Answers in a language that was asked."""

from tests.graders.graded import grade


def test_a_language_that_cannot_be_told_is_an_error_and_no_guess() -> None:
    assert grade("language", {"any": ["en"]}, "42").verdict == "error"
    assert grade("language", {"any": ["en"]}, "OK").verdict == "error"


def test_one_of_several_is_enough() -> None:
    answer = "C'est la vie, et nous ne sommes pas seuls dans la maison."
    assert grade("language", {"any": ["de", "fr"]}, answer).verdict == "pass"
    assert grade("language", {"any": ["de", "en"]}, answer).verdict == "fail"
