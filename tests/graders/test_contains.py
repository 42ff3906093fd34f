"""Texts within an answer."""

from tests.graders.graded import case, grade


def test_all_says_what_is_missing_and_how_much() -> None:
    found = grade("contains", {"all": ["a", "b", "c", "d"]}, "a c d")
    assert (found.verdict, found.score) == ("fail", 0.75)
    assert '"b"' in found.why


def test_at_the_start_or_the_end() -> None:
    assert grade("contains", {"any": ["a"], "at": "start"}, "ba").verdict == "fail"
    assert grade("contains", {"any": ["a"], "at": "end"}, "ba").verdict == "pass"


def test_either_way_an_empty_answer_is_part_of_nothing() -> None:
    options = {"either_way": True, "normalise": True}
    assert grade("contains", options, "", case(expected="Paris")).verdict == "fail"
    assert grade("contains", options, "It is Paris, of course", case(expected="paris")).verdict == (
        "pass"
    )
    assert grade("contains", options, "Paris", case(expected="the city of Paris")).verdict == "pass"
