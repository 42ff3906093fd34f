import pytest
from msgspec.structs import replace
from tests.controllers.release_rig import SAFE, rollout, sight

from tidegate.controllers._release_moves import moved
from tidegate.controllers._release_proposals import proposals, weight_of
from tidegate.controllers._release_words import Bounds, ShadowSeen, Sight, Standing, Wishes
from tidegate.core.controller import Proposal, Revise, Set, Tell
from tidegate.core.rollout import Approvals, Shadow
from tidegate.core.rollout_state import State


def proposed(seen: Sight) -> tuple[Proposal, ...]:
    after, move = moved(seen)
    return proposals(seen, after, move)


def test_the_weight_is_proposed_again_at_each_tick_of_a_step() -> None:
    at = Standing(state="step", step=1, clock_s=990.0)
    assert proposed(sight(at)) == (Set("release_weight", "chat", 0.10, "chat/new: step 2 of 3"),)


def test_a_pause_holds_the_weight() -> None:
    at = Standing(state="paused", step=1, back_to="analysing", clock_s=990.0)
    assert proposed(sight(at))[0] == Set("release_weight", "chat", 0.10, "chat/new: step 2 of 3")


def test_a_rollback_withdraws_tells_and_holds_nothing() -> None:
    at = Standing(state="step", step=1, clock_s=990.0)
    found = proposed(sight(at, finding=replace(SAFE, harmed=("error is worse",))))
    revise, tell = found
    assert revise == Revise("withdraw", "chat", "chat/new", "error is worse")
    assert isinstance(tell, Tell)
    assert (tell.severity, tell.key) == ("ticket", "release/chat/new/rolled_back")
    assert "error is worse" in tell.text and "ada" in tell.text


def test_a_start_joins_the_route_at_its_first_weight() -> None:
    revise, held, tell = proposed(sight(Standing(state="gated")))
    assert isinstance(revise, Revise) and revise.kind == "start"
    assert isinstance(held, Set) and held.value == 0.01
    assert isinstance(tell, Tell) and tell.severity == "info"


@pytest.mark.parametrize("state", ["shadow", "paused"])
def test_a_shadow_that_has_cost_all_it_may_holds_nothing(state: State) -> None:
    shadowed = rollout(shadow=Shadow(budget_nanousd=1000))
    at = Standing(state=state, back_to="shadow", clock_s=990.0, asked_for=True)
    seen = ShadowSeen(copies=5, cost_nanousd=1000)
    before = proposed(sight(at, rollout=shadowed))
    assert [one.lever for one in before if isinstance(one, Set)] == ["shadow_share"]
    after = proposed(sight(at, rollout=shadowed, shadow=seen))
    assert [one for one in after if isinstance(one, Set)] == []


def test_dials_of_an_orthogonal_release_are_held_for_it_alone() -> None:
    at = Standing(state="step", step=1, clock_s=990.0)
    alone = rollout(orthogonal=True)
    assert proposed(sight(at, rollout=alone)) == (
        Set("release_weight", "chat@new", 0.10, "chat/new: step 2 of 3"),
    )


def test_a_shadow_holds_its_share_and_no_weight() -> None:
    shadowed = rollout(shadow=Shadow(share=0.2))
    at = Standing(state="shadow", clock_s=990.0)
    assert proposed(sight(at, rollout=shadowed)) == (
        Set("shadow_share", "chat", 0.2, "chat/new: shadow"),
    )
    assert weight_of(sight(at), replace(at, state="paused", back_to="shadow")) == 0.0


def test_a_promotion_moves_the_members_and_keeps_the_weight_until_it_is_obeyed() -> None:
    at = Standing(state="analysing", step=2, clock_s=900.0)
    revise, held, tell = proposed(sight(at, finding=SAFE))
    assert isinstance(revise, Revise) and revise.members == rollout().members
    assert isinstance(held, Set) and held.value == 1.0
    assert isinstance(tell, Tell)
    waits = sight(Standing(state="promoted", step=2), bounds=Bounds(obeyed=False))
    assert isinstance(proposed(waits)[0], Set)
    assert proposed(sight(Standing(state="promoted", step=2))) == ()


def test_people_are_told_once_that_it_waits_for_them_and_when_it_does_no_more() -> None:
    asked = rollout(approvals=Approvals(step=1))
    at = Standing(state="analysing", step=1, clock_s=900.0)
    seen = sight(at, rollout=asked, finding=SAFE)
    told = [one for one in proposed(seen) if isinstance(one, Tell)]
    assert [(one.key, one.resolved) for one in told] == [("release/chat/new/waits", False)]
    waiting = replace(seen, standing=moved(seen)[0])
    assert not [one for one in proposed(waiting) if isinstance(one, Tell)]
    let = replace(waiting, standing=replace(waiting.standing, approved_by=("ada",)))
    after = [one for one in proposed(let) if isinstance(one, Tell)]
    assert [(one.key, one.resolved) for one in after] == [("release/chat/new/waits", True)]


def test_the_pause_that_was_told_is_over_when_it_goes_on() -> None:
    at = Standing(state="paused", step=1, back_to="step", clock_s=990.0)
    found = proposed(sight(at, wishes=Wishes(resume="ada asked for it")))
    over = [one for one in found if isinstance(one, Tell)]
    assert [(one.key, one.resolved) for one in over] == [("release/chat/new/paused", True)]


def test_another_length_of_answers_is_told_once_and_at_the_first_step_alone() -> None:
    shifted = replace(SAFE, shifted="answers are 1.6 times as long")
    seen = sight(Standing(state="step", clock_s=990.0), finding=shifted)
    told = [one for one in proposed(seen) if isinstance(one, Tell)]
    assert [(one.severity, one.text[:15]) for one in told] == [("ticket", "answers are 1.6")]
    again = replace(seen, standing=moved(seen)[0])
    assert not [one for one in proposed(again) if isinstance(one, Tell)]
    later = sight(Standing(state="step", step=1, clock_s=990.0), finding=shifted)
    assert not [one for one in proposed(later) if isinstance(one, Tell)]
