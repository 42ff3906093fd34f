"""Series: one signal over time, for people and for whoever decides by it."""

from msgspec import Struct

MAX_POINTS = 400


class Series(Struct, frozen=True, omit_defaults=True):
    """`points` are (wall-clock seconds at which the span begins, value), ascending, at most
    `MAX_POINTS`; None where nothing is known, which is not 0. Each spans `step_s`."""

    name: str
    unit: str
    scope: str
    step_s: float
    points: tuple[tuple[float, float | None], ...]
