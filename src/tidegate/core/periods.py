"""Periods of a calendar as instants: where an hour, day, week, month, quarter or year begins.

Local midnights and month ends become seconds of the wall clock once a period, so that no
request computes with time zones. A day is as long as its zone makes it: 23, 24 or 25 hours. A
lifetime is one period from the beginning of dates to beyond all that clocks show.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from tidegate.core.plan import PeriodUnit

# Of the beginning of a period nobody can say how it goes on.
TOO_EARLY = 0.05
_NEVER_S = 32_503_680_000  # the year 3000
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


class Period(Struct, frozen=True):
    """From `start_s`, which names it, until before `end_s`, on the wall clock."""

    start_s: int
    end_s: int

    def passed_at(self, wall_s: float) -> float | None:
        """Which part of it is over; None where that is too little to tell its end by."""
        if self.end_s >= _NEVER_S:
            return None
        passed = (wall_s - self.start_s) / (self.end_s - self.start_s)
        return None if passed < TOO_EARLY else passed


def time_zone_complaint(name: str) -> str | None:
    """What is wrong with an IANA time zone's name; None when periods can be computed in it."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return "is no time zone known on this machine; write it as in Europe/Berlin"
    return None


def period_at(unit: PeriodUnit, time_zone: str, wall_s: float) -> Period:
    """The period that holds `wall_s`. LookupError or ValueError when there is no such zone."""
    if unit == "lifetime":
        return Period(0, _NEVER_S)
    zone = ZoneInfo(time_zone)
    local = datetime.fromtimestamp(wall_s, zone)
    if unit == "hour":
        # An hour is an hour, also where the clocks are changed: only the zone's minutes shift it.
        shift_s = int((local.utcoffset() or timedelta()).total_seconds()) % 3600
        start_s = int((wall_s + shift_s) // 3600) * 3600 - shift_s
        return Period(start_s, start_s + 3600)
    midnight = datetime(local.year, local.month, local.day)
    if unit in _MONTHS:
        months = _MONTHS[unit]
        first = (local.month - 1) // months * months + 1
        start = midnight.replace(month=first, day=1)
        year, month = divmod(first - 1 + months, 12)
        end = start.replace(year=local.year + year, month=month + 1)
    else:
        days = 7 if unit == "week" else 1
        start = midnight - timedelta(days=local.weekday() if unit == "week" else 0)
        end = start + timedelta(days=days)
    return Period(_instant(start, zone), _instant(end, zone))


def _instant(local: datetime, zone: ZoneInfo) -> int:
    """The first instant at which clocks show `local`, or at which they jump past it."""
    return int(local.replace(tzinfo=zone).timestamp())
