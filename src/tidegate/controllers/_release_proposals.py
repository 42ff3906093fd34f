"""What a rollout's standing comes to: levers that are held, revisions, and what people are told."""

from typing import Final

from msgspec.structs import replace

from tidegate.controllers._release_copies import spent
from tidegate.controllers._release_gates import step_of
from tidegate.controllers._release_moves import shift_to_tell
from tidegate.controllers._release_table import Move
from tidegate.controllers._release_words import Sight, Standing
from tidegate.core.change import Kind
from tidegate.core.controller import Proposal, Revise, Set, Tell
from tidegate.core.notice import Severity, Topic

TOPIC: Final[Topic] = "release"

# Of the effects of a move, those that are revisions.
_REVISIONS: Final[dict[str, Kind]] = {
    "start": "start",
    "promote": "promote",
    "withdraw": "withdraw",
    "restore": "restore",
    "retire": "retire",
}
# What is told as good to know, unless somebody has to look soon.
_SEVERITY: Final[dict[str, Severity]] = {
    "rolled_back": "ticket",
    "paused": "ticket",
    "shift": "ticket",
}


def proposals(sight: Sight, after: Standing, move: Move | None) -> tuple[Proposal, ...]:
    """In the order in which they are to be done."""
    found: list[Proposal] = []
    if move is not None and move.effect in _REVISIONS:
        found.append(_revision(sight, after, _REVISIONS[move.effect]))
    held = _held(sight, after)
    if held is not None:
        found.append(held)
    if move is not None:
        found += _told(sight, after)
        return tuple(found)
    shift = shift_to_tell(sight)
    if shift:
        title = f"{sight.rollout.id}: answers have another length"
        found.append(_tell(sight, "shift", title, shift))
    if after.waits_for and after.waits_for != sight.standing.waits_for:
        found += _waiting(sight, after)
    return tuple(found)


def weight_of(sight: Sight, standing: Standing) -> float:
    """The share of units that the candidate has while it stands there; after its promotion until
    that is obeyed everywhere, or everybody would be sent back for a moment."""
    at = standing.back_to if standing.state == "paused" else standing.state
    if at not in ("step", "analysing", "promoted"):
        return 0.0
    return step_of(replace(sight, standing=standing)).weight


def _held(sight: Sight, after: Standing) -> Set | None:
    rollout, number = sight.rollout, after.step + 1
    at = after.back_to if after.state == "paused" else after.state
    shadow = rollout.shadow if at == "shadow" else None
    if shadow is not None and spent(shadow, sight.shadow):
        return None
    if shadow is not None:
        return Set("shadow_share", rollout.scope, shadow.share, f"{rollout.id}: shadow")
    weight = weight_of(sight, after)
    if not weight:
        return None
    reason = f"{rollout.id}: step {number} of {len(rollout.steps)}"
    return Set("release_weight", rollout.scope, weight, reason)


def _revision(sight: Sight, after: Standing, kind: Kind) -> Revise:
    rollout = sight.rollout
    # A start moves nothing, and is over where the file is edited in what it is about.
    members = rollout.members if kind in ("start", "promote") else {}
    evidence = sight.finding.evidence
    return Revise(kind, rollout.route, rollout.id, after.why, members, evidence)


def _told(sight: Sight, after: Standing) -> list[Tell]:
    """One telling a move, of what people would want to know of; it is over with the next."""
    rollout, before = sight.rollout, sight.standing
    found = []
    if before.state == "paused" and after.state != "paused":
        found.append(_tell(sight, "paused", f"{rollout.id} goes on", after.why, resolved=True))
    if before.waits_for and before.state in ("gated", "analysing"):
        found.append(_tell(sight, "waits", f"{rollout.id} waits no more", after.why, resolved=True))
    if after.state in ("rolled_back", "paused", "promoted", "done"):
        words = after.state.replace("_", " ")
        found.append(_tell(sight, after.state, f"{rollout.id} is {words}", after.why))
    elif before.state == "gated":
        found.append(_tell(sight, "started", f"{rollout.id} is under way", after.why))
    return found


def _waiting(sight: Sight, after: Standing) -> list[Tell]:
    if after.state not in ("gated", "analysing"):
        return []
    text = "it waits for " + ", ".join(after.waits_for)
    return [_tell(sight, "waits", f"{sight.rollout.id} waits", text)]


def _tell(sight: Sight, what: str, title: str, text: str, *, resolved: bool = False) -> Tell:
    rollout = sight.rollout
    severity = _SEVERITY.get(what, "info")
    words = f"{text} (owner {rollout.owner})"
    key = f"release/{rollout.id}/{what}"
    return Tell(TOPIC, key, severity, title, words, resolved, rollout.route)
