"""The state machine of a release, as a table: in this state, when that holds, there.

Rows are tried from the top, and the first that holds is taken; where none does it stays. A
condition gives words for why it holds, or "". Rows that undo stand before all that move on, in
every state in which the candidate serves, so that guards are armed while it waits for a person.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from tidegate.controllers._release_conditions import CONDITIONS
from tidegate.controllers._release_words import Effect, Sight
from tidegate.core.rollout_state import State


class Move(Struct, frozen=True):
    """One row. `back` leads to where a pause came from."""

    state: State
    when: str
    to: State | Literal["back"]
    effect: Effect = ""


_UNBORN: Final[tuple[State, ...]] = ("created", "gated")
_SERVING: Final[tuple[State, ...]] = ("shadow", "step", "analysing", "paused")
_PROMOTED: Final[tuple[State, ...]] = ("promoted", "soak")
_GUARDS: Final = ("rollback_asked", "hard_limit", "harmed", "burning")

TABLE: Final[tuple[Move, ...]] = (
    *(Move(state, "rollback_asked", "rolled_back") for state in _UNBORN),
    *(Move(state, when, "rolled_back", "withdraw") for state in _SERVING for when in _GUARDS),
    *(
        Move(state, when, "rolled_back", "restore")
        for state in _PROMOTED
        for when in ("rollback_asked", "harmed_late", "burning")
    ),
    Move("created", "start_asked", "gated"),
    Move("gated", "cleared_to_shadow", "shadow", "start"),
    Move("gated", "cleared", "step", "start"),
    Move("shadow", "pause_asked", "paused"),
    Move("shadow", "shadow_skipped", "step"),
    Move("shadow", "shadow_seen", "step"),
    Move("shadow", "shadow_spent", "paused"),
    Move("shadow", "shadow_late", "paused"),
    Move("step", "pause_asked", "paused"),
    Move("step", "ratio_broken", "paused"),
    Move("step", "not_graded", "paused"),
    Move("step", "skipped", "analysing"),
    Move("step", "enough", "analysing"),
    Move("step", "few_units", "paused"),
    Move("analysing", "pause_asked", "paused"),
    Move("analysing", "ratio_broken", "paused"),
    Move("analysing", "not_graded", "paused"),
    Move("analysing", "data_failed", "rolled_back", "withdraw"),
    Move("analysing", "promotable", "promoted", "promote"),
    Move("analysing", "raisable", "step", "advance"),
    Move("analysing", "data_missing", "paused"),
    Move("analysing", "undecided", "paused"),
    Move("paused", "skip_asked", "back"),
    Move("paused", "resume_asked", "back"),
    Move("paused", "taken_over", "paused"),
    Move("paused", "graded_again", "back"),
    Move("paused", "abandoned", "rolled_back", "withdraw"),
    Move("promoted", "obeyed", "soak"),
    Move("soak", "soaked", "done", "retire"),
)


def next_move(sight: Sight) -> tuple[Move, str] | None:
    """The row that is taken and why; None where it stays."""
    for move in _ROWS_OF.get(sight.standing.state, ()):
        why = CONDITIONS[move.when](sight)
        if why:
            return move, why
    return None


def _by_state() -> Mapping[State, tuple[Move, ...]]:
    states = dict.fromkeys(move.state for move in TABLE)
    return {state: tuple(move for move in TABLE if move.state == state) for state in states}


_ROWS_OF: Final = _by_state()
