"""What share of units each route's candidate has by the changes in force, for who counts units."""

from typing import Final

from sqlalchemy import Connection

from tidegate.core.levers import EVERY, LEVERS, merged
from tidegate.stores import changes

_WEIGHT: Final = "release_weight"
_OFF: Final = "release_off"


def by_scope(connection: Connection, now_s: float) -> dict[str, float]:
    """By what its dial is held for (`core.arm.dial_scope`), the weight that a candidate has now;
    every other gets no unit."""
    held: dict[str, list[float]] = {}
    off: set[str] = set()
    for change in changes.in_force(connection, now_s):
        if change.lever == _WEIGHT:
            held.setdefault(change.scope, []).append(change.value)
        elif change.lever == _OFF and change.value:
            off.add(change.scope)
    if EVERY in off:
        return dict.fromkeys(held, 0.0)
    weights = {scope: merged(LEVERS[_WEIGHT], values) for scope, values in held.items()}
    return {
        scope: 0.0 if off & {scope, scope.rpartition("@")[0]} else weight
        for scope, weight in weights.items()
    }
