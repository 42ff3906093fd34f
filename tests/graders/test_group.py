"""Several checks as one."""

from typing import Any

from tests.graders.graded import Judge, grade


def has(text: str, **more: Any) -> dict[str, Any]:
    return {"grader": "contains", "options": {"any": [text]}, **more}


def test_all_have_to_pass_or_enough_of_them_by_weight() -> None:
    checks = [has("a", weight=3), has("b")]
    assert grade("group", {"checks": checks}, "a").verdict == "fail"
    assert grade("group", {"checks": checks, "threshold": 0.75}, "a").verdict == "pass"
    assert grade("group", {"checks": checks, "threshold": 0.75}, "b").verdict == "fail"


def test_an_error_of_one_is_an_error_of_all() -> None:
    checks = [has("a"), {"grader": "unsupported", "options": {"type": "python"}, "weight": 0.1}]
    assert grade("group", {"checks": checks, "threshold": 0.1}, "a").verdict == "error"


def test_a_judge_within_a_group_is_asked() -> None:
    judge = Judge('{"reason": "r", "score": 1}')
    checks = [has("a"), {"grader": "judge_rubric", "options": {"rubric": "is kind"}}]
    assert grade("group", {"checks": checks}, "a", ask=judge).verdict == "pass"
    assert len(judge.asked) == 1
