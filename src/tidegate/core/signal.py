"""Signals: what is known of something over a window of time, or that nothing is known.

A signal is never a bare number. `NoData` is a value of its own and compares with nothing: whoever
decides by a signal has to say what its absence means.
"""

from typing import Literal

from msgspec import Struct

Why = Literal["no_traffic", "stale", "missing", "not_finite", "unreachable", "too_old"]


class NoData(Struct, frozen=True, tag="no_data"):
    """Nothing is known, and why."""

    why: Why


class Value(Struct, frozen=True, tag="value"):
    """What is known, in the signal's unit."""

    value: float


class Signal(Struct, frozen=True, omit_defaults=True):
    """One reading. `scope` is a route, a target or `route/arm`; () of everything is "".

    `age_s` is how long ago its newest part was measured, None where there is none.
    """

    name: str
    unit: str
    scope: str
    window_s: float
    reading: Value | NoData
    age_s: float | None = None
