"""A rollout led through its states, in virtual time."""

import pytest
from msgspec.structs import replace
from tests.controllers.release_rig import SAFE, STEPS, UNSAFE, rollout, row_of, sight, step

from tidegate.controllers._release_conditions import NO_DATA_S
from tidegate.controllers._release_moves import moved
from tidegate.controllers._release_words import (
    Bounds,
    Finding,
    ShadowSeen,
    Standing,
    Wishes,
)
from tidegate.core.rollout import Approvals, HarmMetric, Shadow
from tidegate.core.rollout_state import State

STARTED = Wishes(start="ada asked for it")


def test_an_equal_release_goes_through_every_state_to_its_end() -> None:
    seen = sight(Standing(), rollout=rollout(shadow=Shadow(min_requests=20)), wishes=STARTED)
    ways: list[tuple[str, int, str]] = []
    for _ in range(40):
        found = replace(SAFE, requests=seen.finding.requests + 200)
        seen, move = step(seen, finding=found, shadow=ShadowSeen(50), active_s=seen.active_s + 61.0)
        if move is not None:
            ways.append((seen.standing.state, seen.standing.step, move.effect))
    assert ways == [
        ("gated", 0, ""),
        ("shadow", 0, "start"),
        ("step", 0, ""),
        ("analysing", 0, ""),
        ("step", 1, "advance"),
        ("analysing", 1, ""),
        ("step", 2, "advance"),
        ("analysing", 2, ""),
        ("promoted", 2, "promote"),
        ("soak", 2, ""),
        ("done", 2, "retire"),
    ]


def test_what_its_copies_were_called_before_another_was_promoted_is_known() -> None:
    seen = sight(Standing(state="shadow"), rollout=rollout(shadow=Shadow()))
    for name in ("chat@2", "chat@2", None, "chat@4"):
        seen, _ = step(seen, shadow=replace(seen.shadow, name=name))
    after, _ = moved(seen)
    assert after.copied_as == ("chat@2", "chat@4")


def test_without_traffic_it_pauses_and_goes_back_in_the_end() -> None:
    seen = sight(Standing(state="step", step=1, clock_s=1000.0), active_s=1000.0)
    states: list[State] = []
    for _ in range(100):
        seen, move = step(seen, active_s=seen.active_s + 60.0)
        if move is not None:
            states.append(seen.standing.state)
    assert states == ["paused", "rolled_back"]
    assert "nobody decided" in seen.standing.why


def test_one_unit_short_of_enough_is_not_enough() -> None:
    at = Standing(state="step", step=1, clock_s=900.0)
    assert row_of(sight(at, finding=Finding(units=99, requests=1000))) is None
    assert row_of(sight(at, finding=Finding(units=100, requests=99))) is None
    assert row_of(sight(at, finding=Finding(units=100, requests=100))) == "enough"


def test_requests_of_the_step_before_are_none_of_this_one() -> None:
    at = Standing(state="step", step=1, clock_s=900.0, requests_before=950)
    assert row_of(sight(at, finding=SAFE)) is None


def test_undecided_at_the_end_of_its_time_pauses_and_never_promotes() -> None:
    at = Standing(state="analysing", step=2, clock_s=1000.0)
    assert row_of(sight(at, finding=UNSAFE, active_s=1599.0)) is None
    paused, move = moved(sight(at, finding=UNSAFE, active_s=1600.0))
    assert (paused.state, paused.back_to) == ("paused", "analysing")
    assert move is not None and move.when == "undecided"


def test_a_pause_that_a_person_asked_for_stands_until_they_end_it() -> None:
    at = Standing(state="step", step=1, clock_s=1000.0)
    seen, _ = step(sight(at, wishes=Wishes(pause="ada asked for it")))
    seen, move = step(seen, active_s=1e9)
    assert move is None and seen.standing.state == "paused"
    seen, _ = step(replace(seen, wishes=Wishes(resume="ada asked for it")))
    assert seen.standing.state == "step"
    assert seen.standing.clock_s == 1e9


def test_a_person_takes_over_what_the_loop_paused() -> None:
    at = Standing(state="paused", back_to="step", clock_s=1000.0)
    seen, _ = step(sight(at, wishes=Wishes(pause="ada asked for it")))
    assert seen.standing.asked_for
    assert row_of(replace(seen, active_s=1e9)) is None


def test_a_broken_ratio_voids_what_was_counted() -> None:
    at = Standing(state="analysing", step=1, clock_s=900.0, requests_before=100)
    paused, _ = moved(sight(at, finding=replace(SAFE, ratio_broken=True)))
    assert paused.is_void
    resumed, _ = moved(sight(paused, wishes=Wishes(resume="ada asked for it")))
    assert not resumed.is_void
    assert resumed.requests_before == 0
    assert resumed.state == "step"


def test_missing_data_pauses_or_ends_it_as_its_file_says() -> None:
    at = Standing(state="analysing", step=1, clock_s=1000.0 - NO_DATA_S)
    assert row_of(sight(at, finding=replace(SAFE, missing=("ttft",)))) == "data_missing"
    gone, _ = moved(sight(at, finding=replace(SAFE, failed=("ttft",))))
    assert gone.state == "rolled_back"


def test_data_that_may_still_come_are_waited_for() -> None:
    at = Standing(state="analysing", step=1, clock_s=1001.0 - NO_DATA_S)
    for given in ({"missing": ("ttft",)}, {"failed": ("error", "ttft")}):
        held, move = moved(sight(at, finding=replace(SAFE, **given)))
        assert (held.state, move) == ("analysing", None)


def test_a_promotion_needs_every_guard_even_where_its_only_step_is_one_of_smoke() -> None:
    smoke = rollout(steps=STEPS[:1])
    at = Standing(state="analysing", clock_s=900.0)
    assert row_of(sight(at, rollout=smoke, finding=UNSAFE)) is None
    assert row_of(sight(at, rollout=smoke, finding=SAFE)) == "promotable"


def test_it_waits_for_people_with_its_guards_armed() -> None:
    asked = rollout(approvals=Approvals(step=1))
    at = Standing(state="analysing", step=1, clock_s=900.0)
    waiting, move = moved(sight(at, rollout=asked, finding=SAFE, active_s=1e6))
    assert move is None
    assert waiting.waits_for == ("approval by 1 more before step",)
    worse = replace(SAFE, harmed=("error is worse",))
    assert row_of(sight(waiting, rollout=asked, finding=worse)) == "harmed"
    let = replace(waiting, approved_by=("ada",))
    after, _ = moved(sight(let, rollout=asked, finding=SAFE))
    assert (after.state, after.step, after.approved_by) == ("step", 2, ())


def test_a_skipped_analysis_moves_on_and_counts_for_one_step() -> None:
    at = Standing(state="paused", step=1, back_to="analysing", clock_s=900.0, skipped=True)
    seen, _ = step(sight(at, finding=UNSAFE, wishes=Wishes(skip="ada asked for it")))
    ways: list[State] = [seen.standing.state]
    for _ in range(2):
        seen, _ = step(seen)
        ways.append(seen.standing.state)
    assert ways == ["step", "analysing", "step"]
    assert (seen.standing.step, seen.standing.skipped) == (2, False)


def test_a_skipped_analysis_does_not_excuse_harm() -> None:
    at = Standing(state="step", step=1, skipped=True)
    assert row_of(sight(at, finding=replace(UNSAFE, harmed=("error is worse",)))) == "harmed"


def test_a_frozen_route_holds_where_it_is() -> None:
    at = Standing(state="analysing", step=1, clock_s=900.0)
    held, move = moved(sight(at, finding=SAFE, bounds=Bounds(frozen=True), active_s=1e6))
    assert move is None
    assert held.waits_for == ("the route is frozen",)


def test_the_old_version_is_kept_until_the_new_plan_is_obeyed_and_it_has_soaked() -> None:
    promoted = Standing(state="promoted", step=2, clock_s=1000.0)
    assert row_of(sight(promoted, bounds=Bounds(obeyed=False))) is None
    soak, _ = moved(sight(promoted))
    assert row_of(sight(soak, active_s=1119.0)) is None
    done, move = moved(sight(soak, active_s=1120.0))
    assert (done.state, move and move.effect) == ("done", "retire")


def test_it_is_restored_from_its_soak() -> None:
    soak = Standing(state="soak", step=2, clock_s=1000.0)
    after, move = moved(sight(soak, wishes=Wishes(rollback="ada asked for it")))
    assert (after.state, move and move.effect) == ("rolled_back", "restore")


def test_shadow_requests_that_never_come_pause_it() -> None:
    shadowed = rollout(shadow=Shadow(min_requests=50, max_s=600.0))
    at = Standing(state="shadow", clock_s=0.0)
    paused, _ = moved(sight(at, rollout=shadowed, shadow=ShadowSeen(49), active_s=600.0))
    assert (paused.state, paused.back_to) == ("paused", "shadow")


AWAY = Bounds(not_graded="its answers are not graded since 10:00: the judge is away")
GRADED = rollout(harm=(HarmMetric("error", 0.02), HarmMetric("quality", 0.05)))


@pytest.mark.parametrize("state", ["step", "analysing"])
def test_it_pauses_while_its_answers_are_not_graded_unless_a_person_takes_it(state: State) -> None:
    at = Standing(state=state, step=1, clock_s=900.0)
    paused, _ = moved(sight(at, rollout=GRADED, finding=SAFE, bounds=AWAY))
    assert (paused.state, paused.why) == ("paused", AWAY.not_graded)
    assert row_of(sight(at, finding=SAFE, bounds=AWAY)) != "not_graded"
    taken = replace(at, skipped=True)
    assert row_of(sight(taken, rollout=GRADED, finding=SAFE, bounds=AWAY)) != "not_graded"
    assert row_of(sight(paused, rollout=GRADED, bounds=AWAY)) is None
    assert row_of(sight(paused, rollout=GRADED)) == "graded_again"
    asked = Wishes(rollback="ada asked for it")
    assert row_of(sight(paused, rollout=GRADED, bounds=AWAY, wishes=asked)) == "rollback_asked"


def test_what_a_person_paused_does_not_go_on_because_answers_are_graded_again() -> None:
    at = Standing(state="analysing", step=1, clock_s=900.0)
    seen, _ = step(sight(at, rollout=GRADED, bounds=AWAY))
    seen, _ = step(replace(seen, wishes=Wishes(pause="ada asked for it")), bounds=Bounds())
    assert row_of(seen) is None


def test_what_is_found_afterwards_may_come_until_the_step_is_over() -> None:
    at = Standing(state="analysing", step=1, clock_s=1000.0 - NO_DATA_S)
    for given in ({"missing": ("quality",)}, {"failed": ("quality",)}):
        seen = sight(at, rollout=GRADED, finding=replace(SAFE, **given))
        assert row_of(seen) is None
        late = replace(seen, active_s=at.clock_s + 600.0)
        assert row_of(late) in ("data_missing", "data_failed")
