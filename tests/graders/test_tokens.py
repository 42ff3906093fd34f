"""How many tokens an answer has."""

from tests.graders.graded import grade

from tidegate.core.grading import Answered


def test_a_count_that_nobody_knows_is_an_error() -> None:
    half = Answered("a", output_tokens=5)
    assert grade("tokens", {"most_tokens": 5}, half).verdict == "pass"
    assert grade("tokens", {"most_tokens": 5, "of": "input"}, half).verdict == "error"
    assert grade("tokens", {"most_tokens": 99, "of": "total"}, half).verdict == "error"


def test_too_few_is_a_failure_where_a_least_is_asked() -> None:
    assert grade("tokens", {"least_tokens": 6}, Answered("a", output_tokens=5)).verdict == "fail"
