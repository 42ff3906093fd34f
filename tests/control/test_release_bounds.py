"""What binds a release from outside."""

import pytest
from tests.controllers.release_rig import rollout

from tidegate.control.moment import Moment
from tidegate.control.release_bounds import Binding
from tidegate.controllers.release import Bounds
from tidegate.core.change import Change
from tidegate.stores.assessments import Ungraded
from tidegate.stores.rollouts import Kept

# A Wednesday at noon.
NOON_S = 1_790_164_800.0
NAME = rollout().id
NONE: frozenset[str] = frozenset()


def change(lever: str, scope: str, value: float) -> Change:
    return Change("c", lever, scope, value, "", "operator:ada", 0.0, until_s=1e12)


def kept(**given: object) -> Kept:
    plain: dict[str, object] = {
        "rollout": rollout(),
        "author": "ada",
        "created_at_s": 0.0,
        "state": "step",
        "step": 1,
        "why": "",
        "since_s": 0.0,
    }
    return Kept(**{**plain, **given})  # type: ignore[arg-type]


def refusal(state: str, candidates: frozenset[str] | None, problem: str | None = None) -> str:
    at_s = None if problem is None else 1000.0
    kept = Kept(rollout(), "ada", 0.0, state, 1, "", 0.0, None, problem, at_s)  # type: ignore[arg-type]
    return Binding(Moment(1000.0, 0.0, candidates=candidates)).of(kept).refusal


def test_nothing_binds_of_itself() -> None:
    assert Binding(Moment(NOON_S, 0.0)).of(kept()) == Bounds()


def test_the_strictest_of_the_route_and_of_every_route_binds() -> None:
    held = (
        change("release_policy", "chat", 1),
        change("release_policy", "*", 2),
        change("frozen", "mail", 1),
    )
    bound = Binding(Moment(NOON_S, 0.0, held)).of(kept())
    assert (bound.policy_rank, bound.frozen) == (2, False)
    assert Binding(Moment(NOON_S, 0.0, (change("frozen", "*", 1),))).of(kept()).frozen


def test_business_hours_are_those_of_their_time_zone() -> None:
    hours = rollout(business_hours="mon-fri 09:00-17:00 UTC")
    assert Binding(Moment(NOON_S, 0.0)).of(kept(rollout=hours)).in_hours
    assert not Binding(Moment(NOON_S + 8 * 3600, 0.0)).of(kept(rollout=hours)).in_hours


def test_what_the_plan_refused_is_asked_again_after_a_while() -> None:
    refused = kept(problem="no target", problem_at_s=NOON_S)
    assert Binding(Moment(NOON_S + 59, 0.0)).of(refused).refusal == "no target"
    assert Binding(Moment(NOON_S + 61, 0.0)).of(refused).refusal == ""
    assert Binding(Moment(NOON_S - 3600, 0.0)).of(refused).refusal == ""  # the clock was set back


def test_what_is_not_graded_says_since_when() -> None:
    ungraded = {"chat": Ungraded("chat", NOON_S, "the judge is away")}
    bound = Binding(Moment(NOON_S, 0.0), ungraded=ungraded).of(kept())
    assert bound.not_graded == (
        "its answers are not graded since 2026-09-23T12:00+00:00: the judge is away"
    )


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
