"""Series: one signal over time, for people and for whoever decides by it."""

from math import ceil
from typing import Final

from msgspec import Struct

MAX_POINTS: Final = 400
# People read a step at once that divides a day, or is made of whole ones.
STEPS_S: Final = (
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200),
    *(86_400, 172_800, 604_800),
)


class Series(Struct, frozen=True, omit_defaults=True):
    """`points` are (wall-clock seconds at which the span begins, value), ascending, at most
    `MAX_POINTS`; None where nothing is known, which is not 0. Each spans `step_s`."""

    name: str
    unit: str
    scope: str
    step_s: float
    points: tuple[tuple[float, float | None], ...]


class SignalQuery(Struct, frozen=True):
    """What somebody wants to see. `only` says what a dimension (`route`, `arm`, `release`,
    `target`) must be, `apart` by which of them series are told apart: a series of everything has
    the scope "", others their values joined by `/`. `until_s` is exclusive."""

    names: tuple[str, ...]
    since_s: float
    until_s: float
    only: dict[str, str] = {}
    apart: tuple[str, ...] = ()


def step_of(query: SignalQuery) -> int:
    """Seconds of a step, such that a series of it has at most `MAX_POINTS`."""
    # One less, for a window that begins within a step has a part of one more.
    least_s = max(query.until_s - query.since_s, 1.0) / (MAX_POINTS - 1)
    longest_s = STEPS_S[-1]
    return next((s for s in STEPS_S if s >= least_s), ceil(least_s / longest_s) * longest_s)
