"""Sights of a rollout for its state machine, and a way to lead one through it."""

from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from tidegate.controllers._release_moves import moved
from tidegate.controllers._release_table import Move
from tidegate.controllers._release_words import (
    Bounds,
    Finding,
    ShadowSeen,
    Sight,
    Standing,
    Wishes,
)
from tidegate.core.rollout import Rollout, Step

STEPS = (
    Step(0.01, min_units=20, min_s=60.0, max_s=600.0, smoke=True),
    Step(0.10, min_units=100, min_s=60.0, max_s=600.0),
    Step(1.0, min_units=100, min_s=60.0, max_s=600.0),
)
SAFE = Finding(units=1000, requests=1000)
UNSAFE = replace(SAFE, unsafe=("error",))


def rollout(**given: Any) -> Rollout:
    plain: dict[str, Any] = {
        "id": "chat/new",
        "route": "chat",
        "digest": "d",
        "owner": "ada",
        "members": {"target": Raw(b'"new"')},
        "steps": STEPS,
        "soak_s": 120.0,
    }
    return Rollout(**{**plain, **given})


def sight(standing: Standing, **given: Any) -> Sight:
    """At 1,000 seconds of work; nothing found, asked or bound unless `given`."""
    plain: dict[str, Any] = {
        "rollout": rollout(),
        "standing": standing,
        "finding": Finding(),
        "bounds": Bounds(),
        "shadow": ShadowSeen(),
        "wishes": Wishes(),
        "now_s": 5000.0,
        "active_s": 1000.0,
    }
    return Sight(**{**plain, **given})


def row_of(seen: Sight) -> str | None:
    """The condition of the row that is taken."""
    move = moved(seen)[1]
    return None if move is None else move.when


def step(seen: Sight, **changed: Any) -> tuple[Sight, Move | None]:
    """The sight after one move, with what `changed` for the next."""
    after, move = moved(seen)
    return replace(seen, **{"standing": after, "wishes": Wishes(), **changed}), move
