"""One move of the table carried out: where the rollout stands then."""

from msgspec.structs import replace

from tidegate.controllers._release_gates import Gate, obstacles
from tidegate.controllers._release_table import Move, next_move
from tidegate.controllers._release_words import Sight, Standing
from tidegate.core.rollout_state import State

# A state in which a new stretch of time begins to count.
_STARTS_CLOCK: frozenset[State] = frozenset({"shadow", "step", "paused", "promoted", "soak"})


def moved(sight: Sight) -> tuple[Standing, Move | None]:
    """Where it stands after this tick, and the row that led there; None where it stays."""
    sight = _named(sight)
    found = next_move(sight)
    if found is None:
        return _staying(sight), None
    move, why = found
    return _after(sight, move, why), move


def _named(sight: Sight) -> Sight:
    """Its name is another one once its route is: what it was called is kept with it."""
    name, standing = sight.shadow.name, sight.standing
    if name is None or name in standing.copied_as:
        return sight
    return replace(sight, standing=replace(standing, copied_as=(*standing.copied_as, name)))


def shift_to_tell(sight: Sight) -> str:
    """Words at the first step, once. Answers may be longer for good reason: it ends nothing."""
    standing = sight.standing
    at_first = standing.state in ("step", "analysing") and standing.step == 0
    return sight.finding.shifted if at_first and not standing.shift_told else ""


def _staying(sight: Sight) -> Standing:
    told = sight.standing.shift_told or bool(shift_to_tell(sight))
    return replace(
        sight.standing, waits_for=_waits_for(sight), shift_told=told, burned=_burned_on(sight)
    )


def _burned_on(sight: Sight) -> tuple[str, ...]:
    """What burns on of it without a break. What begins to burn again is the promoted one's."""
    burning = [one.objective for one in sight.bounds.burning]
    return tuple(name for name in sight.standing.burned if name in burning)


def _after(sight: Sight, move: Move, why: str) -> Standing:
    before = sight.standing
    to = before.back_to if move.to == "back" else move.to
    standing = replace(before, state=to, since_s=sight.now_s, why=why, by=move.when, waits_for=())
    if to in _STARTS_CLOCK or move.to == "back":
        standing = replace(standing, clock_s=sight.active_s)
    if to == "paused":
        return _paused(sight, standing, move)
    if move.to == "back":
        return _resumed(sight, standing)
    if move.effect in ("start", "advance", "promote"):
        # What people let through was this gate, and what one skipped this step.
        standing = replace(standing, approved_by=(), skipped=False)
    if move.effect == "advance":
        standing = replace(standing, step=before.step + 1)
    if move.effect == "promote":
        burned = tuple(one.objective for one in sight.bounds.burning)
        standing = replace(standing, burned=burned)
    elif before.burned:
        standing = replace(standing, burned=_burned_on(sight))
    if to == "shadow":
        standing = replace(standing, shadowed_s=sight.now_s)
    if to == "step":
        standing = replace(standing, requests_before=sight.finding.requests, skipped=False)
    return standing


def _paused(sight: Sight, standing: Standing, move: Move) -> Standing:
    before = sight.standing
    back_to = before.back_to if before.state == "paused" else before.state
    return replace(
        standing,
        back_to=back_to,
        asked_for=move.when in ("pause_asked", "taken_over"),
        is_void=before.is_void or move.when == "ratio_broken",
    )


def _resumed(sight: Sight, standing: Standing) -> Standing:
    """Its time begins anew; with a void sample, so does what is counted."""
    return replace(
        standing,
        state="shadow" if standing.state == "shadow" else "step",
        asked_for=False,
        is_void=False,
        requests_before=0 if sight.standing.is_void else standing.requests_before,
    )


def _waits_for(sight: Sight) -> tuple[str, ...]:
    """What it waits for beside traffic and time."""
    standing = sight.standing
    if standing.state == "gated":
        return obstacles(sight, "start")
    if standing.state == "shadow":
        return obstacles(sight, "shadow")
    if standing.state == "analysing":
        last = standing.step >= len(sight.rollout.steps) - 1
        gate: Gate = "promotion" if last else "step"
        return obstacles(sight, gate)
    if standing.state == "paused" and standing.by == "not_graded":
        return ("its answers to be graded again, or a person: skip_analysis or rollback",)
    if standing.state == "paused":
        return ("a person: resume, skip_analysis or rollback",)
    return ()
