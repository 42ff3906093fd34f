"""What people ask, folded into what the table sees: the last word counts, a rollback above all."""

from collections.abc import Iterable

from msgspec.structs import replace

from tidegate.controllers._release_words import Standing, Wishes
from tidegate.core.rollout_state import Asked, State

# Where a person's yes is waited for. One that comes before there is anything to see is none.
_ASKS: frozenset[State] = frozenset({"gated", "analysing"})
_SKIPS: frozenset[State] = frozenset({"shadow", "step", "analysing", "paused"})


def folded(standing: Standing, asked: Iterable[Asked]) -> tuple[Standing, Wishes]:
    """Where it stands with what they said, and what they want of it at this tick."""
    wishes = Wishes()
    for one in asked:
        words = _words(one)
        match one.what:
            case "start":
                wishes = replace(wishes, start=words)
            case "pause":
                wishes = replace(wishes, pause=words, resume="")
            case "resume":
                wishes = replace(wishes, resume=words, pause="")
            case "rollback":
                wishes = replace(wishes, rollback=words)
            case "skip_analysis":
                if standing.state in _SKIPS:
                    wishes = replace(wishes, skip=words)
                    standing = replace(standing, skipped=True)
            case "waive_certificate":
                standing = replace(standing, waived=True)
            case "approve":
                standing = _approved(standing, one.who)
            case "gate_passed" | "gate_failed":
                standing = _checked(standing, one)
    return standing, wishes


def _words(one: Asked) -> str:
    reason = f": {one.reason}" if one.reason else ""
    return f"{one.who} asked for it{reason}"


def _approved(standing: Standing, who: str) -> Standing:
    if standing.state not in _ASKS or who in standing.approved_by:
        return standing
    return replace(standing, approved_by=(*standing.approved_by, who))


def _checked(standing: Standing, one: Asked) -> Standing:
    others = tuple(name for name in standing.gates if name != one.gate)
    passed = (one.gate,) if one.what == "gate_passed" and one.gate else ()
    return replace(standing, gates=(*others, *passed))
