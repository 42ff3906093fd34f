import pytest
from tests.controllers.release_rig import rollout, sight

from tidegate.controllers._release_gates import Gate, approvals_needed, obstacles, step_of
from tidegate.controllers._release_words import Bounds, Standing
from tidegate.core.rollout import Approvals, HarmMetric, late_guard

AT = Standing(state="analysing", step=1)


@pytest.mark.parametrize(
    ("rank", "labels", "moves"),
    [
        (0, (), True),
        (1, (), True),
        (2, (), False),
        (2, ("fix",), True),
        (3, ("fix",), False),
        (3, ("security",), True),
        (3, ("p0",), True),
    ],
)
def test_the_error_budget_lets_through_what_its_state_allows(
    rank: int, labels: tuple[str, ...], moves: bool
) -> None:
    standing = Standing(state="analysing", step=1, approved_by=("ada", "bo"))
    seen = sight(standing, rollout=rollout(labels=labels), bounds=Bounds(policy_rank=rank))
    assert (obstacles(seen, "step") == ()) is moves


def test_in_a_restricted_budget_two_people_have_to_say_yes() -> None:
    fix = rollout(labels=("fix",))
    restricted = sight(AT, rollout=fix, bounds=Bounds(policy_rank=2))
    assert approvals_needed(restricted, "step") == 2
    assert obstacles(restricted, "step") == ("approval by 2 more before step",)
    declared = sight(AT, rollout=fix, bounds=Bounds(policy_rank=2, approvers=3))
    assert approvals_needed(declared, "step") == 3
    assert approvals_needed(sight(AT, rollout=fix), "step") == 0


def test_in_caution_steps_last_twice_as_long_and_the_first_is_small() -> None:
    wide = rollout(steps=(rollout().steps[1],))
    seen = sight(Standing(state="step"), rollout=wide, bounds=Bounds(policy_rank=1))
    assert step_of(seen).weight == 0.05
    assert step_of(seen).min_s == 2 * wide.steps[0].min_s
    assert step_of(sight(Standing(state="step"), rollout=wide)).weight == 0.10


def test_each_obstacle_is_said() -> None:
    bound = Bounds(frozen=True, in_hours=False, refusal="no such target")
    asked = rollout(
        gates=("evals",), approvals=Approvals(start=1), business_hours="mon-fri 09:00-17:00 UTC"
    )
    found = obstacles(sight(Standing(state="gated"), rollout=asked, bounds=bound), "start")
    assert found == (
        "gate evals",
        "the route is frozen",
        "business hours (mon-fri 09:00-17:00 UTC)",
        "approval by 1 more before start",
        "the plan does not take it: no such target",
    )


def test_the_gates_of_the_file_are_before_its_start_alone() -> None:
    seen = sight(AT, rollout=rollout(gates=("evals",)))
    assert obstacles(seen, "step") == ()


@pytest.mark.parametrize(
    ("guard", "holds"),
    [
        (late_guard("quality"), True),
        (HarmMetric("quality", 0.05), True),
        (HarmMetric("quality", 0.05, no_data="ignore"), False),
        (late_guard("thumbs_down"), False),
    ],
)
def test_nothing_starts_while_its_answers_are_not_graded(guard: HarmMetric, holds: bool) -> None:
    away = Bounds(not_graded="its answers are not graded since 10:00: the judge is away")
    seen = sight(AT, rollout=rollout(harm=(guard,)), bounds=away)
    assert obstacles(seen, "start") == ((away.not_graded,) if holds else ())
    assert obstacles(seen, "promotion") == ()


@pytest.mark.parametrize("gate", ["start", "shadow", "step", "promotion"])
def test_what_is_not_certified_takes_no_gate_unless_somebody_takes_it_on_themselves(
    gate: Gate,
) -> None:
    """And nobody's report opens it."""
    named = rollout(gates=("certificate",))
    lacking = Bounds(uncertified=("support@v4 at m-1: no gate was passed",))
    reported = Standing(state="gated", gates=("certificate",))
    found = obstacles(sight(reported, rollout=named, bounds=lacking), gate)
    assert found == ("gate certificate: support@v4 at m-1: no gate was passed",)
    waived = Standing(state="gated", waived=True)
    assert obstacles(sight(waived, rollout=named, bounds=lacking), gate) == ()
    assert obstacles(sight(Standing(state="gated"), rollout=named), gate) == ()
