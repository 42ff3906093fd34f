"""What stands between a release and its next higher weight: words for each obstacle."""

from typing import Final, Literal

from tidegate.controllers._release_words import Sight
from tidegate.core.rollout import CERTIFICATE, Step
from tidegate.stats.analysis import guards

Gate = Literal["start", "step", "promotion", "shadow"]

NORMAL, CAUTION, RESTRICTED, FROZEN = range(4)
FIX: Final = "fix"
URGENT: Final = frozenset({"security", "p0"})
_CAUTION_WEIGHT = 0.05
_CAUTION_TIMES = 2.0


def obstacles(sight: Sight, gate: Gate) -> tuple[str, ...]:
    """Why the release does not take this gate yet; () lets it through."""
    found = (
        *_checks(sight, gate),
        *_certificates(sight),
        not_graded(sight) if gate == "start" else "",
        _frozen(sight),
        _budget(sight),
        "" if sight.bounds.in_hours else f"business hours ({sight.rollout.business_hours})",
        _approvals(sight, gate),
        sight.bounds.refusal and f"the plan does not take it: {sight.bounds.refusal}",
    )
    return tuple(one for one in found if one)


def not_graded(sight: Sight) -> str:
    """Why nobody would see that its answers are bad, where `quality` guards it: what is missing is
    never good. "" where it does not matter: somebody wrote that it may be missing."""
    guard = next((it for it in guards(sight.rollout) if it.name == "quality"), None)
    if guard is None or (guard.must_be_safe and guard.no_data == "ignore"):
        return ""
    return sight.bounds.not_graded


def approvals_needed(sight: Sight, gate: Gate) -> int:
    """How many people have to say yes before it."""
    wanted = sight.rollout.approvals
    declared = {"start": wanted.start, "step": wanted.step, "promotion": wanted.promotion}
    if gate not in declared:
        return 0
    restricted = sight.bounds.policy_rank == RESTRICTED and not _is_urgent(sight)
    return max(declared[gate], sight.bounds.approvers if restricted else 0)


def step_of(sight: Sight) -> Step:
    """The step that it is at, as the error budget binds it."""
    at = sight.standing.step
    step = sight.rollout.steps[min(at, len(sight.rollout.steps) - 1)]
    if sight.bounds.policy_rank < CAUTION:
        return step
    least_s = step.min_s * _CAUTION_TIMES
    weight = min(step.weight, _CAUTION_WEIGHT) if at == 0 else step.weight
    return Step(weight, step.min_units, least_s, max(step.max_s, least_s), step.smoke)


def _checks(sight: Sight, gate: Gate) -> tuple[str, ...]:
    if gate != "start":
        return ()
    passed = (*sight.standing.gates, CERTIFICATE)  # which nobody reports
    return tuple(f"gate {name}" for name in sight.rollout.gates if name not in passed)


def _certificates(sight: Sight) -> tuple[str, ...]:
    """Before each gate: one may be void by the time."""
    if sight.standing.waived:
        return ()
    return tuple(f"gate {CERTIFICATE}: {one}" for one in sight.bounds.uncertified)


def _frozen(sight: Sight) -> str:
    return "the route is frozen" if sight.bounds.frozen else ""


def _budget(sight: Sight) -> str:
    rank, labels = sight.bounds.policy_rank, sight.rollout.labels
    if rank < RESTRICTED or _is_urgent(sight):
        return ""
    if rank >= FROZEN:
        return "the error budget is spent: only releases labelled security or p0 move on"
    return "" if FIX in labels else "the error budget is low: only releases labelled fix move on"


def _approvals(sight: Sight, gate: Gate) -> str:
    left = approvals_needed(sight, gate) - len(sight.standing.approved_by)
    return "" if left <= 0 else f"approval by {left} more before {gate}"


def _is_urgent(sight: Sight) -> bool:
    return not URGENT.isdisjoint(sight.rollout.labels)
