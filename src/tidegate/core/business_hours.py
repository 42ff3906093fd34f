"""Hours of a week in which people are there, such as `mon-fri 09:00-17:00 Europe/Berlin`. Pure."""

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from tidegate.core.periods import time_zone_complaint

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = "|".join(_DAYS)
_TEXT: Final = re.compile(
    rf"({_DAY})(?:-({_DAY}))? ([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d) (\S{{1,64}})"
)
_WANTED: Final = "write days, hours and a time zone, such as `mon-fri 09:00-17:00 Europe/Berlin`"


class BusinessHours(Struct, frozen=True):
    """`days` count from Monday, 0; the minutes from midnight, the last one not included."""

    days: tuple[int, ...]
    first_minute: int
    end_minute: int
    time_zone: str

    def open_at(self, now_s: float) -> bool:
        """Whether that moment (wall-clock seconds) is within them."""
        local = datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(self.time_zone))
        minute = local.hour * 60 + local.minute
        return local.weekday() in self.days and self.first_minute <= minute < self.end_minute


def read_business_hours(text: str) -> BusinessHours:
    """ValueError says what is wrong with the text."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(_WANTED)
    first, last = _DAYS.index(match[1]), _DAYS.index(match[2] or match[1])
    begin, end = int(match[3]) * 60 + int(match[4]), int(match[5]) * 60 + int(match[6])
    if end > 24 * 60 or begin >= end:
        raise ValueError("the hours end before they begin; they lie within one day")
    complaint = time_zone_complaint(match[7])
    if complaint is not None:
        raise ValueError(complaint)
    days = tuple((first + n) % 7 for n in range((last - first) % 7 + 1))
    return BusinessHours(days, begin, end, match[7])
