"""A release whose candidate the plan file has edited away is held, and says so."""

import pytest
from tests.controllers.release_rig import rollout

from tidegate.control.observe import Binding, Moment
from tidegate.stores.rollouts import Kept

NAME = rollout().id
NONE: frozenset[str] = frozenset()


def refusal(state: str, candidates: frozenset[str] | None, problem: str | None = None) -> str:
    at_s = None if problem is None else 1000.0
    kept = Kept(rollout(), "ada", 0.0, state, 1, "", 0.0, None, problem, at_s)  # type: ignore[arg-type]
    return Binding(Moment(1000.0, 0.0, candidates=candidates)).of(kept).refusal


@pytest.mark.parametrize("state", ["shadow", "step", "analysing", "paused"])
def test_one_that_should_serve_and_is_not_in_the_plan_goes_no_further(state: str) -> None:
    assert "the plan file was edited" in refusal(state, NONE)
    assert refusal(state, frozenset({NAME})) == ""
    assert refusal(state, None) == "", "what is not known holds nobody back"


@pytest.mark.parametrize("state", ["created", "gated", "promoted", "soak"])
def test_one_that_has_no_candidate_yet_or_any_more_is_not_missed(state: str) -> None:
    assert refusal(state, NONE) == ""


def test_what_the_plan_refused_is_said_first() -> None:
    assert refusal("step", NONE, "no target") == "no target"
