"""What becomes of a grader's word: thresholds, negation, weights, and digests of judges."""

import pytest

from tidegate.core.grading import Check, Grade, Verdict, checked, judge_digest, together

PASS, FAIL, ERROR = Grade("pass", 1.0), Grade("fail", 0.0, "no"), Grade("error", why="away")


def test_a_threshold_takes_the_place_of_the_graders_own_verdict() -> None:
    assert checked(Check("g", threshold=0.4), Grade("fail", 0.5)).verdict == "pass"
    assert checked(Check("g", threshold=0.6), Grade("pass", 0.5)).verdict == "fail"
    assert checked(Check("g", threshold=0.6), Grade("pass")).verdict == "error"


def test_negation_turns_pass_and_fail_and_leaves_an_error() -> None:
    turned = checked(Check("g", negated=True), Grade("pass", 0.75))
    assert (turned.verdict, turned.score) == ("fail", 0.25)
    assert checked(Check("g", negated=True), FAIL).verdict == "pass"
    assert checked(Check("g", negated=True), ERROR) is ERROR
    # The threshold is asked of the score as it was, and then turned.
    assert checked(Check("g", negated=True, threshold=0.5), Grade("fail", 0.5)).verdict == "fail"


@pytest.mark.parametrize(
    ("grades", "weights", "threshold", "verdict"),
    [
        ((PASS, PASS), (1, 1), None, "pass"),
        ((PASS, FAIL), (1, 1), None, "fail"),
        ((PASS, FAIL), (1, 0), None, "pass"),
        ((PASS, FAIL), (3, 1), 0.75, "pass"),
        ((PASS, FAIL), (3, 1), 0.8, "fail"),
        ((PASS, ERROR), (1, 0), None, "error"),
        ((PASS, ERROR), (9, 1), 0.1, "error"),
        ((PASS,), (0,), None, "error"),
        ((), (), None, "error"),
    ],
)
def test_the_grade_of_a_case_is_that_of_its_checks_together(
    grades: tuple[Grade, ...],
    weights: tuple[float, ...],
    threshold: float | None,
    verdict: Verdict,
) -> None:
    checks = [Check("g", weight=weight) for weight in weights]
    assert together(checks, grades, threshold).verdict == verdict


def test_another_prompt_model_or_parameter_is_another_judge() -> None:
    one = judge_digest("p", "m-2026", {"temperature": 0, "seed": 1})
    assert one == judge_digest("p", "m-2026", {"seed": 1, "temperature": 0})
    others = [
        judge_digest("q", "m-2026", {"temperature": 0, "seed": 1}),
        judge_digest("p", "m-2027", {"temperature": 0, "seed": 1}),
        judge_digest("p", "m-2026", {"temperature": 1, "seed": 1}),
    ]
    assert len({one, *others}) == 4
