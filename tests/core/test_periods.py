"""Periods against the clocks of people: zones, changes of the clocks, month ends, leap years."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.periods import period_at, time_zone_complaint
from tidegate.core.plan import PeriodUnit

UNITS: list[PeriodUnit] = ["hour", "day", "week", "month", "quarter", "year"]
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Cairo",
         "Pacific/Apia", "America/Havana", "America/St_Johns", "Asia/Beirut"]  # fmt: skip


def utc_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("unit", "zone", "instant", "start", "end"),
    [
        ("hour", "UTC", "2026-03-10T12:59:59", "2026-03-10T12:00", "2026-03-10T13:00"),
        ("hour", "Asia/Kolkata", "2026-03-10T12:10", "2026-03-10T11:30", "2026-03-10T12:30"),
        ("hour", "Asia/Kathmandu", "2026-03-10T12:10", "2026-03-10T11:15", "2026-03-10T12:15"),
        ("day", "UTC", "2026-03-10T00:00", "2026-03-10T00:00", "2026-03-11T00:00"),
        # Clocks go forward on 29 March and back on 25 October 2026 in Berlin: 23 and 25 hours.
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("day", "Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("hour", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T00:00", "2026-10-25T01:00"),
        ("hour", "Europe/Berlin", "2026-10-25T01:30", "2026-10-25T01:00", "2026-10-25T02:00"),
        # In Cairo clocks jump over midnight; Apia left out 30 December 2011.
        ("day", "Africa/Cairo", "2026-04-24T12:00", "2026-04-23T22:00", "2026-04-24T21:00"),
        ("day", "Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        ("week", "UTC", "2026-03-15T23:59", "2026-03-09T00:00", "2026-03-16T00:00"),
        ("week", "UTC", "2026-01-01T00:00", "2025-12-29T00:00", "2026-01-05T00:00"),
        ("month", "UTC", "2024-02-29T12:00", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("month", "America/New_York", "2026-04-01T03:59", "2026-03-01T05:00", "2026-04-01T04:00"),
        ("quarter", "UTC", "2026-12-01T00:00", "2026-10-01T00:00", "2027-01-01T00:00"),
        ("quarter", "UTC", "2026-02-01T00:00", "2026-01-01T00:00", "2026-04-01T00:00"),
        ("year", "Asia/Tokyo", "2026-12-31T15:00", "2026-12-31T15:00", "2027-12-31T15:00"),
    ],
)
def test_a_period_begins_and_ends(
    unit: PeriodUnit, zone: str, instant: str, start: str, end: str
) -> None:
    period = period_at(unit, zone, utc_s(instant))
    assert (period.start_s, period.end_s) == (utc_s(start), utc_s(end))


@given(
    st.sampled_from(UNITS),
    st.sampled_from(ZONES),
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)),
)
def test_periods_follow_one_another_without_gap(
    unit: PeriodUnit, zone: str, instant: datetime
) -> None:
    wall_s = instant.replace(tzinfo=UTC).timestamp()
    period = period_at(unit, zone, wall_s)
    assert period.start_s <= wall_s < period.end_s
    following = period_at(unit, zone, period.end_s)
    assert following.start_s == period.end_s
    assert period_at(unit, zone, period.end_s - 0.001) == period
    if unit in ("month", "quarter", "year"):
        local = datetime.fromtimestamp(period.start_s, ZoneInfo(zone))
        before = datetime.fromtimestamp(period.start_s - 1, ZoneInfo(zone))
        assert local.day == 1
        assert before.month != local.month
        assert timedelta(0) < local - before < timedelta(days=2)


@pytest.mark.parametrize("wall_s", [0.0, 1_790_000_000.0, 32_000_000_000.0])
def test_a_lifetime_is_one_period_for_ever(wall_s: float) -> None:
    period = period_at("lifetime", "UTC", wall_s)
    assert period.start_s <= wall_s < period.end_s
    assert period == period_at("lifetime", "Asia/Tokyo", period.end_s)


@pytest.mark.parametrize(
    "name", ["Europe/Atlantis", "", "../../etc/passwd", "/etc/localtime", "a\0b"]
)
def test_what_is_no_zone_is_said_to_be_none(name: str) -> None:
    assert "no time zone" in (time_zone_complaint(name) or "")


def test_zones_are_none_to_complain_of() -> None:
    assert time_zone_complaint("America/Argentina/Buenos_Aires") is None


def test_of_its_beginning_nobody_tells_the_end() -> None:
    hour = period_at("hour", "UTC", 7200.0)
    assert hour.passed_at(7200.0 + 179) is None and hour.passed_at(0.0) is None
    assert hour.passed_at(7200.0 + 1800) == 0.5
    assert period_at("lifetime", "UTC", 7200.0).passed_at(7200.0) is None
