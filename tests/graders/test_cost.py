"""What an answer cost."""

from tests.graders.graded import grade

from tidegate.core.grading import Answered


def test_an_unknown_cost_is_an_error_and_a_cost_of_nothing_is_none() -> None:
    assert grade("cost", {"most_usd": 1}, Answered("a")).verdict == "error"
    assert grade("cost", {"most_usd": 0}, Answered("a", cost_nanousd=0)).verdict == "pass"
    assert grade("cost", {"most_usd": 1}, Answered("a", cost_nanousd=-1)).verdict == "error"
