"""Patterns in an answer."""

from tests.graders.graded import grade


def test_a_pattern_is_found_anywhere_and_bound_where_it_says_so() -> None:
    assert grade("regex", {"pattern": r"\d{4}"}, "in 1999").verdict == "pass"
    assert grade("regex", {"pattern": r"^\d{4}$"}, "in 1999").verdict == "fail"


def test_case_is_ignored_where_asked() -> None:
    assert grade("regex", {"pattern": "yes"}, "YES").verdict == "fail"
    assert grade("regex", {"pattern": "yes", "ignore_case": True}, "YES").verdict == "pass"


def test_a_pattern_that_backtracks_elsewhere_takes_no_longer_here() -> None:
    assert grade("regex", {"pattern": "^(a+)+$"}, "a" * 100_000 + "b").verdict == "fail"
