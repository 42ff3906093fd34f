"""Single conditions, by the row that is taken where they hold."""

from msgspec.structs import replace
from tests.controllers.release_rig import SAFE, rollout, row_of, sight, step

from tidegate.controllers._release_words import Bounds, Burning, ShadowSeen, Standing
from tidegate.core.rollout import Shadow


def test_a_failure_of_both_arms_is_not_the_candidates() -> None:
    alike = Bounds(burning=(Burning("answers", 0.5, 0.5),))
    assert row_of(sight(Standing(state="step", step=1, clock_s=990.0), bounds=alike)) is None
    large = Bounds(burning=(Burning("answers", 0.6, 0.6),))
    assert row_of(sight(Standing(state="step", step=1, clock_s=990.0), bounds=large)) is None
    own = Bounds(burning=(Burning("answers", 0.95, 0.5),))
    assert row_of(sight(Standing(state="step", step=1, clock_s=990.0), bounds=own)) == "burning"


def test_a_hard_limit_acts_in_shadow_too() -> None:
    shadowed = rollout(shadow=Shadow())
    at = Standing(state="shadow", clock_s=990.0)
    failing = sight(at, rollout=shadowed, shadow=ShadowSeen(20, failed=10))
    assert row_of(failing) == "hard_limit"
    held = Standing(state="paused", back_to="shadow", asked_for=True)
    assert row_of(replace(failing, standing=held)) == "hard_limit"
    broken = sight(at, rollout=shadowed, shadow=ShadowSeen(40, invalid=20))
    assert row_of(broken) == "hard_limit"
    few = sight(at, rollout=shadowed, shadow=ShadowSeen(19, invalid=19))
    assert row_of(few) is None


def test_what_burned_before_its_promotion_is_not_held_against_it() -> None:
    burning = Bounds(policy_rank=2, approvers=0, burning=(Burning("answers", 0.5, 0.9),))
    fix = rollout(labels=("p0",))
    at = Standing(state="analysing", step=2)
    seen, move = step(sight(at, rollout=fix, finding=SAFE, bounds=burning))
    assert move is not None and move.effect == "promote"
    for _ in range(3):  # its minutes are still in the window
        seen, _ = step(seen)
    assert seen.standing.state == "soak"
    seen, _ = step(replace(seen, bounds=Bounds()))
    assert row_of(replace(seen, bounds=burning)) == "burning"  # what begins anew is its own
    other = replace(seen, bounds=Bounds(burning=(Burning("ttft", None, None),)))
    assert row_of(other) == "burning"


def test_a_shadow_pauses_when_its_copies_have_cost_all_they_may_and_too_few_came() -> None:
    shadowed = rollout(shadow=Shadow(min_requests=50, budget_nanousd=1000))
    at = Standing(state="shadow", clock_s=990.0)
    spent = ShadowSeen(49, copies=49, cost_nanousd=1000)
    assert row_of(sight(at, rollout=shadowed, shadow=spent)) == "shadow_spent"
    enough = replace(spent, requests=50)
    assert row_of(sight(at, rollout=shadowed, shadow=enough)) == "shadow_seen"
    held_up = sight(at, rollout=shadowed, shadow=enough, bounds=Bounds(in_hours=False))
    assert row_of(held_up) is None  # what waits for people needs no more copies


def test_who_skips_the_shadow_s_answers_goes_past_no_freeze() -> None:
    at = Standing(state="shadow", skipped=True)
    seen = sight(at, rollout=rollout(shadow=Shadow()), bounds=Bounds(frozen=True))
    assert row_of(seen) is None
    assert row_of(replace(seen, bounds=Bounds())) == "shadow_skipped"
