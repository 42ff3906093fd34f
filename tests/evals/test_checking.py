"""Whether checks can be made."""

from msgspec import Raw

from tidegate.core.grading import Check
from tidegate.evals.checking import Graders, asks


def test_a_grader_that_is_not_there_is_told_with_the_one_that_was_meant() -> None:
    said = Graders().wrong("contain", {})
    assert said == 'there is no grader of this name; did you mean "contains"?'


def test_options_are_asked_of_the_grader() -> None:
    graders = Graders()
    assert graders.wrong("exact", {}) is None
    assert graders.wrong("exact", {"colour": 1}) == graders.wrong("exact", {"colour": 1}) != None  # noqa: E711


def test_a_judge_asks() -> None:
    assert asks(Check("judge_rubric", Raw(b'{"rubric":"r"}')))
    assert not asks(Check("exact"))
    group = b'{"checks":[{"grader":"exact"},{"grader":"%b","options":{}}]}'
    assert asks(Check("group", Raw(group % b"judge_pairwise")))
    assert not asks(Check("group", Raw(group % b"cost")))
