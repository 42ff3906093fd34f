from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tidegate.core.business_hours import BusinessHours, read_business_hours

OFFICE = "mon-fri 09:00-17:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("day", "hour", "minute", "open_"),
    [
        (16, 9, 0, True),  # a Monday
        (16, 8, 59, False),
        (16, 17, 0, False),
        (20, 16, 59, True),
        (21, 12, 0, False),  # a Saturday
    ],
)
def test_they_are_open_in_their_own_time_zone(day, hour, minute, open_):
    at = datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"))
    assert read_business_hours(OFFICE).open_at(at.timestamp()) is open_


def test_days_may_go_over_the_weeks_end_or_be_one():
    assert read_business_hours("sat-mon 00:00-24:00 UTC") == BusinessHours(
        (5, 6, 0), 0, 1440, "UTC"
    )
    assert read_business_hours("wed 10:00-11:30 UTC").days == (2,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write days, hours"),
        ("mon-fri 9-17 UTC", "write days, hours"),
        ("mon-fri 09:00-24:30 UTC", "end before they begin"),
        ("mon-fri 17:00-09:00 UTC", "end before they begin"),
        ("mon-fri 09:00-17:00 Europe/Nowhere", "no time zone"),
    ],
)
def test_what_are_no_hours_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        read_business_hours(text)
