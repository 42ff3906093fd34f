"""Checks that are not run here."""

from tests.graders.graded import grade

from tidegate.core.grading import Check, checked


def test_it_is_an_error_also_when_it_is_negated() -> None:
    found = grade("unsupported", {"type": "javascript"}, "anything")
    assert checked(Check("unsupported", negated=True), found).verdict == "error"
    assert found.why == "`javascript` is unsupported, not executed"
