"""What counts as passed, and when a case is known."""

import pytest
from tests.evals.runs import pair, side

from tidegate.core.grading import Answered, Case
from tidegate.evals.outcome import Outcome, Paired, passed, refused, score


def test_a_case_is_passed_by_most_of_its_repeats() -> None:
    assert passed(side("a", [True, True, False]))
    assert not passed(side("a", [True, False]))
    assert not passed(())


def test_a_score_is_the_mean_of_repeats() -> None:
    graded = (
        Outcome("a", 0, "pass", Answered("x"), score=0.8),
        Outcome("a", 1, "fail", Answered("x")),
    )
    assert score(graded) == pytest.approx(0.4)


def test_a_case_is_known_when_both_sides_have_verdicts() -> None:
    assert pair("a", [True], [False]).is_known
    assert not pair("a", [True], ["error"]).is_known
    assert not Paired(Case("a"), side("a", [True]), ()).is_known


def test_unknown_is_no_refusal() -> None:
    assert refused(side("a", [True], refusal="partial"))
    assert not refused(side("a", [True], refusal="none"))
    assert not refused(side("a", [True]))
