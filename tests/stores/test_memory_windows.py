"""Windows in memory: what is over, what the ledger says, and what a changed plan lets stand."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tidegate.core.limit import Calendar, Moment, Rolling
from tidegate.stores.memory_counters import memory_counters
from tidegate.stores.memory_windows import CalendarCounters, RollingCounters


def at(text: str, monotonic_s: float = 1000.0) -> Moment:
    return Moment(monotonic_s, datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NOON = at("2026-03-10T12:00")
DAY = Rolling(allowed=100, window_s=86400.0, bins=24, wall=True)

HALF_AN_HOUR = Rolling(allowed=100, window_s=1800.0, bins=30, wall=True)


def test_a_request_is_charged_to_the_period_of_its_admission() -> None:
    counters = CalendarCounters(Calendar(allowed=100, unit="month"))
    ticket = counters.take("", 60, at("2026-03-31T23:59:59"))
    april = at("2026-04-01T00:00:01")
    assert counters.take("", 100, april) is not None
    assert ticket is not None
    counters.give_back("", ticket, 60, 0, april)
    assert counters.read("", 1, april).used == 100


def test_a_clock_that_steps_back_resets_nothing_twice() -> None:
    counters = CalendarCounters(Calendar(allowed=100, unit="day"))
    counters.take("", 100, at("2026-03-10T23:30"))
    assert counters.take("", 100, at("2026-03-11T00:10")) is not None
    back = at("2026-03-10T23:40")
    assert counters.take("", 1, back) is None
    assert counters.read("", 1, back).reset_s == 86400 + 20 * 60
    assert counters.take("", 1, at("2026-03-11T00:20")) is None
    assert counters.take("", 1, at("2026-03-12T00:00")) is not None


def test_months_end_by_the_clock_of_their_zone() -> None:
    counters = CalendarCounters(Calendar(allowed=1, unit="month", time_zone="Asia/Kathmandu"))
    counters.take("", 1, at("2026-01-31T18:00"))
    assert counters.take("", 1, at("2026-01-31T18:14:59")) is None
    assert counters.take("", 1, at("2026-01-31T18:15:00")) is not None


def test_the_past_comes_from_the_ledger_once() -> None:
    counters = CalendarCounters(Calendar(allowed=100, unit="month"))
    assert not counters.knows("team a", NOON)
    past = [
        (at("2026-02-28T23:00").wall_s, 500),
        (at("2026-03-01T00:00").wall_s, 40),
        (NOON.wall_s, 30),
    ]
    counters.seed("team a", past, NOON)
    counters.seed("team a", past, NOON)
    assert counters.knows("team a", NOON)
    assert counters.read("team a", 1, NOON).used == 70
    assert not counters.knows("team b", NOON)


def test_a_period_that_began_under_our_eyes_needs_no_ledger() -> None:
    counters = CalendarCounters(Calendar(allowed=100, unit="day"))
    assert not counters.knows("team a", NOON)
    tomorrow = at("2026-03-11T12:00")
    assert counters.knows("team a", tomorrow)
    counters.seed("team a", [(tomorrow.wall_s, 50)], tomorrow)
    assert counters.read("team a", 1, tomorrow).used == 0


def test_another_unit_begins_anew_and_another_amount_does_not() -> None:
    counters = CalendarCounters(Calendar(allowed=100, unit="day"))
    counters.seed("", [(NOON.wall_s, 80)], NOON)
    counters.reshape(Calendar(allowed=200, unit="day"))
    assert counters.read("", 1, NOON).used == 80
    counters.reshape(Calendar(allowed=200, unit="month"))
    assert not counters.knows("", NOON)
    assert counters.read("", 1, NOON).used == 0


def test_ended_periods_are_forgotten_part_by_part() -> None:
    counters = CalendarCounters(Calendar(allowed=1, unit="day"))
    for number in range(20_000):
        counters.take(f"key {number}", 1, NOON)
    tomorrow = at("2026-03-11T12:00")
    counters.sweep(tomorrow)
    assert 10_000 < len(counters) < 20_000
    for _ in range(10):
        counters.sweep(tomorrow)
    assert len(counters) == 0


def test_a_rolling_past_leaves_the_window_hour_by_hour() -> None:
    counters = RollingCounters(DAY)
    past = [(at("2026-03-09T20:30").wall_s, 60), (at("2026-03-10T08:00").wall_s, 40)]
    counters.seed("team a", past, NOON)
    assert counters.knows("team a", NOON)
    reading = counters.read("team a", 10, NOON)
    assert reading.used == 100
    # The hour from 20:00 has left the day whole when it is 21:00 again.
    assert reading.retry_s == pytest.approx(9 * 3600, abs=0.01)
    assert counters.read("team a", 1, at("2026-03-10T21:00", 1000 + 9 * 3600)).used == 40


def test_a_window_that_was_watched_whole_needs_no_ledger() -> None:
    counters = RollingCounters(DAY)
    assert not counters.knows("team a", NOON)
    assert not counters.knows("team a", at("2026-03-11T12:00", 1000 + 24 * 3600))
    assert counters.knows("team a", at("2026-03-11T13:00", 1000 + 25 * 3600))


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_step_of_the_wall_clock_gives_no_rolling_budget_anew(step_s: float) -> None:
    counters = RollingCounters(HALF_AN_HOUR)
    assert counters.take("", 100, NOON) is not None
    stepped = Moment(NOON.monotonic_s + 60.0, NOON.wall_s + 60.0 + step_s)
    assert counters.take("", 1, stepped) is None
    assert counters.take("", 1, Moment(NOON.monotonic_s + 120.0, NOON.wall_s + 120.0)) is None
    over = Moment(NOON.monotonic_s + 1860.1, stepped.wall_s + 1800.1)
    assert counters.take("", 100, over) is not None


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_what_was_dated_after_a_step_counts_no_shorter(step_s: float) -> None:
    counters = RollingCounters(HALF_AN_HOUR)
    assert counters.take("other", 1, NOON) is not None
    now = Moment(NOON.monotonic_s + 600.0, NOON.wall_s + 600.0 + step_s)
    counters.seed("", [(now.wall_s - 60.0, 100)], now)
    later = Moment(now.monotonic_s + 1700.0, now.wall_s + 1700.0)
    assert counters.read("", 1, later).used == 100
    assert counters.read("", 1, Moment(later.monotonic_s + 160.1, 0.0)).used == 0


def test_a_wall_clock_set_back_holds_nothing_up() -> None:
    counters = RollingCounters(DAY)
    counters.take("", 100, NOON)
    behind = at("2026-03-11T03:00", 1000 + 25 * 3600)  # it is 13:00, and the clock says 03:00
    assert counters.take("", 100, behind) is not None


def test_tickets_outlive_another_width_of_bins() -> None:
    counters = RollingCounters(Rolling(allowed=100, window_s=60.0, bins=6))
    ticket = counters.take("", 90, NOON)
    assert ticket is not None
    counters.reshape(Rolling(allowed=100, window_s=600.0, bins=60))
    counters.give_back("", ticket, 90, 20, NOON)
    assert counters.read("", 1, NOON).used == 20


def test_what_was_used_beyond_its_hold_counts_in_the_bin_of_its_admission() -> None:
    counters = RollingCounters(Rolling(allowed=100, window_s=60.0, bins=6))
    early = counters.take("", 10, Moment(1000.0, 0.0))
    counters.take("", 10, Moment(1030.0, 0.0))
    assert early is not None
    counters.give_back("", early, 10, 50, Moment(1040.0, 0.0))
    assert counters.read("", 1, Moment(1040.0, 0.0)).used == 60
    assert counters.read("", 1, Moment(1070.0, 0.0)).used == 10


@pytest.mark.parametrize("shape", [DAY, Calendar(allowed=100, unit="day")])
def test_of_a_scope_that_is_raised_more_is_allowed_and_of_no_other(
    shape: Rolling | Calendar,
) -> None:
    counters = memory_counters(replace(shape, raised={"growth": 150}))
    for scope, allowed in (("growth", 150), ("search", 100)):
        assert counters.take(scope, allowed + 1, NOON) is None
        assert counters.take(scope, allowed, NOON) is not None
        assert counters.take(scope, 1, NOON) is None
        assert counters.read(scope, 1, NOON).allowed == allowed
    counters.reshape(shape)
    assert counters.read("growth", 1, NOON).allowed == 100
    assert counters.take("growth", 0, NOON) is not None
