"""Where a rollout stands, and what people ask of it."""

from typing import Final, Literal, get_args

from msgspec import Struct

State = Literal[
    "created",
    "gated",
    "shadow",
    "step",
    "analysing",
    "paused",
    "rolled_back",
    "promoted",
    "soak",
    "done",
]
STATES: Final[tuple[State, ...]] = get_args(State)
ENDED: Final[frozenset[State]] = frozenset({"rolled_back", "done"})

What = Literal[
    "start",
    "pause",
    "resume",
    "approve",
    "rollback",
    "skip_analysis",
    "waive_certificate",
    "gate_passed",
    "gate_failed",
]
WHATS: Final[tuple[What, ...]] = get_args(What)


class Asked(Struct, frozen=True, omit_defaults=True):
    """One wish of a person, numbered in the order in which wishes came. `gate` is the name of the
    check whose outcome it tells."""

    seq: int
    rollout: str
    what: What
    who: str
    at_s: float
    reason: str = ""
    gate: str | None = None
