"""Bounds on figures."""

import pytest

from tidegate.core.grading import Grade
from tidegate.graders._figures import all_of, within, wrong_bounds


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [(None, "error"), (float("nan"), "error"), (1, "fail"), (2, "pass"), (4, "pass"), (5, "fail")],
)
def test_a_figure_within_its_bounds(figure: float | None, verdict: str) -> None:
    assert within(figure, 2, 4, "tokens").verdict == verdict


def test_the_worst_of_several_decides() -> None:
    passes, fails, error = Grade("pass", 1.0), Grade("fail", 0.0), Grade("error")
    assert all_of([passes, fails, error]) is error
    assert all_of([passes, fails]) is fails
    assert all_of([passes]) is passes


def test_bounds_that_cannot_be_kept_are_told() -> None:
    assert wrong_bounds(None, None, "tokens") == "it needs a bound: `most_tokens` or `least_tokens`"
    assert wrong_bounds(3, 2, "tokens") == "`least_tokens` is above `most_tokens`"
    assert wrong_bounds(2, 2, "tokens") is None
