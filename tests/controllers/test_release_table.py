"""The table itself, and the property that no order of things breaks its promises."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.controllers.release_rig import STEPS, UNSAFE, rollout, sight

from tidegate.controllers._release_conditions import CONDITIONS
from tidegate.controllers._release_moves import moved
from tidegate.controllers._release_table import TABLE
from tidegate.controllers._release_words import (
    Bounds,
    Burning,
    Finding,
    ShadowSeen,
    Sight,
    Standing,
    Wishes,
)
from tidegate.core.rollout import Approvals, Shadow, Step
from tidegate.core.rollout_state import ENDED, STATES, State

SERVING: tuple[State, ...] = ("shadow", "step", "analysing", "paused")
_said = st.sampled_from(["", "ada asked for it"])
_names = st.sampled_from([(), ("error",), ("error", "ttft")])
_seconds = st.sampled_from([0.0, 59.0, 60.0, 120.0, 600.0, 5000.0])
_count = st.sampled_from([0, 19, 20, 99, 100, 1000])

findings = st.builds(
    Finding,
    hard=_names,
    harmed=_names,
    shifted=_said,
    unsafe=_names,
    missing=_names,
    failed=_names,
    ratio_broken=st.booleans(),
    units=_count,
    requests=_count,
)
bounds = st.builds(
    Bounds,
    policy_rank=st.integers(0, 3),
    frozen=st.booleans(),
    in_hours=st.booleans(),
    refusal=_said,
    obeyed=st.booleans(),
    burning=st.sampled_from([(), (Burning("a", 0.9, 0.1),), (Burning("a", None, None),)]),
)
standings = st.builds(
    Standing,
    state=st.sampled_from(STATES),
    step=st.integers(0, len(STEPS) - 1),
    clock_s=_seconds,
    requests_before=_count,
    back_to=st.sampled_from(["shadow", "step", "analysing"]),
    asked_for=st.booleans(),
    is_void=st.booleans(),
    approved_by=st.sampled_from([(), ("ada",), ("ada", "bo")]),
    gates=st.sampled_from([(), ("evals",)]),
    skipped=st.booleans(),
)
rollouts = st.builds(
    rollout,
    shadow=st.sampled_from([None, Shadow(min_requests=20, max_s=600.0)]),
    approvals=st.sampled_from([Approvals(), Approvals(1, 1, 1)]),
    labels=st.sampled_from([(), ("fix",), ("p0",)]),
    gates=st.sampled_from([(), ("evals",)]),
    steps=st.sampled_from([STEPS, STEPS[:1], (Step(1.0, 100, 60.0, 600.0, smoke=True),)]),
)
sights = st.builds(
    Sight,
    rollout=rollouts,
    standing=standings,
    finding=findings,
    bounds=bounds,
    shadow=st.builds(ShadowSeen, requests=_count, failed=_count, invalid=_count),
    wishes=st.builds(Wishes, start=_said, pause=_said, resume=_said, rollback=_said, skip=_said),
    now_s=_seconds,
    active_s=_seconds,
)


def test_every_row_names_a_condition_and_every_condition_has_a_row() -> None:
    assert {move.when for move in TABLE} == set(CONDITIONS)


def test_no_row_leads_out_of_an_end() -> None:
    assert not [move for move in TABLE if move.state in ENDED]


def test_every_state_but_the_ends_can_be_left_and_every_one_but_the_first_reached() -> None:
    assert {move.state for move in TABLE} == set(STATES) - ENDED
    assert {move.to for move in TABLE} - {"back"} == set(STATES) - {"created"}


def test_rows_that_undo_stand_before_those_that_move_on() -> None:
    for state in STATES:
        rows = [move for move in TABLE if move.state == state]
        undoing = [move.to == "rolled_back" and move.when in _GUARDS for move in rows]
        assert not any(later and not sooner for sooner, later in pairwise(undoing))


_GUARDS = ("rollback_asked", "hard_limit", "harmed", "harmed_late", "burning")


@given(sights)
@settings(max_examples=1500, deadline=None)
def test_it_is_total_and_keeps_its_promises(seen: Sight) -> None:
    after, move = moved(seen)
    before, found = seen.standing, seen.finding
    at = before.back_to if before.state == "paused" else before.state
    assert after.state in STATES
    assert after.step in range(len(STEPS) + 1)
    if before.state in ENDED:
        assert move is None and after.state == before.state
    if seen.wishes.rollback and before.state not in ENDED:
        assert after.state == "rolled_back"
    if before.state in SERVING and (found.harmed or (found.hard and at != "shadow")):
        assert after.state == "rolled_back"
        assert move is not None and move.effect == "withdraw"
    if after.state == "promoted" and before.state != "promoted":
        assert before.state == "analysing"
        assert before.skipped or not (found.unsafe or found.missing or found.failed)
        assert not (seen.bounds.frozen or (found.ratio_broken and not before.skipped))
    if before.state == "shadow" and after.state == "step":
        assert not (seen.bounds.frozen or seen.bounds.refusal)
    if after.step > before.step:
        assert before.state == "analysing" and move is not None and move.effect == "advance"
        assert not seen.bounds.frozen and seen.bounds.in_hours and not seen.bounds.refusal
    if before.state == "step" and after.state == "analysing" and not before.skipped:
        at = seen.rollout.steps[min(before.step, len(seen.rollout.steps) - 1)]
        assert found.units >= at.min_units
        assert seen.active_s - before.clock_s >= at.min_s


@given(st.lists(sights, min_size=1, max_size=12), st.integers(0, 2**16))
@settings(max_examples=300, deadline=None)
def test_whatever_comes_a_rollback_stays_and_nothing_serves_without_a_start(
    several: list[Sight], _seed: int
) -> None:
    standing, started = Standing(), False
    for seen in several:
        standing, move = moved(replace(seen, rollout=rollout(), standing=standing))
        started = started or (move is not None and move.effect == "start")
        assert started or standing.state in ("created", "gated", "rolled_back")


@pytest.mark.parametrize("state", SERVING)
@pytest.mark.parametrize(
    "given",
    [
        {"wishes": Wishes(rollback="ada asked for it", pause="bo asked for it")},
        {"finding": replace(UNSAFE, harmed=("refusal is worse",))},
        {"bounds": Bounds(frozen=True, burning=(Burning("answers", 0.9, 0.1),))},
    ],
    ids=["asked", "harm", "burn"],
)
def test_guards_are_armed_wherever_it_serves(state: State, given: dict[str, object]) -> None:
    after, move = moved(sight(Standing(state=state), **given))
    assert after.state == "rolled_back"
    assert move is not None and move.effect == "withdraw"
