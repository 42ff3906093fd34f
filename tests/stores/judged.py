"""Judges as they are kept."""

from typing import Any

from tests.stores.rig import NOON_S

from tidegate.stores.judges import Calibrated, Look, Seat

DAY_S = 86_400.0


def calibrated(judge: str = "j1", **fields: Any) -> Calibrated:
    plain: dict[str, Any] = {
        "judge": judge,
        "route": "referee",
        "name": "kindness",
        "model": "m-1",
        "calibrated_at_s": NOON_S,
        "expires_at_s": NOON_S + 28 * DAY_S,
        "author": "control",
        "is_calibrated": True,
        "anchors": 200,
        "anchors_digest": "d",
        "errors": 1,
        "known": 398,
        "agreed": 350,
        "kappa": 0.75,
        "kappa_low": 0.66,
        "kappa_high": 0.84,
        "figures": "{}",
    }
    return Calibrated(**{**plain, **fields})


def look(week: int = 2958, **fields: Any) -> Look:
    plain: dict[str, Any] = {
        "judge": "j1",
        "generation": 1,
        "week": week,
        "at_s": NOON_S + (week - 2958) * 7 * DAY_S,
        "asked": 50,
        "known": 50,
        "agreed": 44,
        "sum_now": 0.0,
        "is_over": False,
    }
    return Look(**{**plain, **fields})


def seat(name: str = "s1", **fields: Any) -> Seat:
    plain: dict[str, Any] = {
        "seat": name,
        "route": "referee",
        "name": "kindness",
        "used_by": ("chat",),
        "at_s": NOON_S,
        "judge": "j1",
        "model": "m-1",
    }
    return Seat(**{**plain, **fields})
