"""How long an answer is."""

from tests.graders.graded import grade


def test_characters_and_words_are_bounded_each() -> None:
    assert grade("length", {"most_chars": 3}, "abcd").verdict == "fail"
    assert grade("length", {"least_words": 2, "most_chars": 9}, "one two").verdict == "pass"
    assert grade("length", {"least_words": 3, "most_chars": 9}, "one two").verdict == "fail"
