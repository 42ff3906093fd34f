"""Why an answer ended."""

from tests.graders.graded import grade

from tidegate.core.grading import Answered


def test_reasons_are_the_same_in_every_dialect() -> None:
    for said in ("length", "max_tokens", " MAX_TOKENS"):
        answered = Answered("a", finish_reason=said)
        assert grade("finish_reason", {"any": ["length"]}, answered).verdict == "pass"
        assert grade("finish_reason", {"any": ["stop", "tool_calls"]}, answered).verdict == "fail"


def test_an_unknown_reason_is_an_error() -> None:
    assert grade("finish_reason", {"any": ["stop"]}, "a").verdict == "error"
