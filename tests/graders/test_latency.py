"""How long an answer took."""

from tests.graders.graded import grade

from tidegate.core.grading import Answered


def test_the_first_token_of_an_answer_that_was_not_streamed_is_unknown() -> None:
    whole = Answered("a", total_s=1.0)
    assert grade("latency", {"most_s": 2}, whole).verdict == "pass"
    assert grade("latency", {"most_s": 2, "most_ttft_s": 1}, whole).verdict == "error"
