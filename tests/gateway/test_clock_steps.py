"""A wall clock that was set forward between two starts of a gateway."""

from pathlib import Path

import pytest

from tidegate.gateway import clock_steps
from tidegate.gateway.clock_steps import ClockSteps, Step, boot_id, note_steps

HOUR_S = 3600.0


class Clock:
    """A wall clock that tests set, and one that only runs."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.since_boot_s, self.ahead_s = 100.0, 1_790_000_000.0
        patch.setattr(clock_steps.clock, "since_boot_s", lambda: self.since_boot_s)
        patch.setattr(clock_steps.clock, "wall_s", lambda: self.since_boot_s + self.ahead_s)

    @property
    def wall_s(self) -> float:
        return self.since_boot_s + self.ahead_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_step_forward_is_noted_at_the_next_start_and_kept_for_those_after(
    tmp_path: Path, clock: Clock
) -> None:
    file = tmp_path / "gateway-0.clock"
    assert note_steps(file, "boot-1") == ClockSteps()
    clock.since_boot_s += 60.0  # time that passes is no step
    assert note_steps(file, "boot-1") == ClockSteps()
    clock.ahead_s += HOUR_S
    first = Step(clock.wall_s, HOUR_S)
    assert note_steps(file, "boot-1").steps == (first,)
    clock.since_boot_s += 60.0
    clock.ahead_s -= 0.5
    assert note_steps(file, "boot-1").steps == (first,)
    clock.ahead_s += 2 * HOUR_S
    steps = note_steps(file, "boot-1")
    assert [step.by_s for step in steps.steps] == [HOUR_S, 2 * HOUR_S]
    assert steps.total_s == 3 * HOUR_S
    clock.since_boot_s += 368 * 86_400.0
    assert note_steps(file, "boot-1") == ClockSteps()


def test_neither_another_boot_nor_a_step_back_nor_a_file_of_another_shape_is_a_step(
    tmp_path: Path, clock: Clock
) -> None:
    file = tmp_path / "gateway-0.clock"
    note_steps(file, "boot-1")
    clock.ahead_s += HOUR_S
    assert note_steps(file, "boot-2") == ClockSteps()
    clock.ahead_s -= HOUR_S
    assert note_steps(file, "boot-2") == ClockSteps()
    file.write_bytes(b"\x93 no")
    clock.ahead_s += HOUR_S
    assert note_steps(file, "boot-2") == ClockSteps()
    assert note_steps(tmp_path / "nowhere" / "x.clock", "boot-2") == ClockSteps()
    assert note_steps(file, None) == ClockSteps()


def test_what_was_spent_before_a_step_is_dated_by_the_clock_of_now() -> None:
    steps = ClockSteps((Step(10_000.0, 3600.0), Step(20_000.0, 100.0)))
    dates = {
        1000.0: 1000.0 + 3600 + 100,
        7299.0: 7299.0 + 3600 + 100,  # the end of a quarter-hour in which it was set
        7300.0: 7300.0 + 100,
        20_799.0: 20_799.0 + 100,
        20_800.0: 20_800.0,
    }
    assert steps.dated([(at_s, 7) for at_s in dates]) == [(at_s, 7) for at_s in dates.values()]
    assert ClockSteps().dated([(1.0, 2)]) == [(1.0, 2)]


def test_years_that_a_clock_was_behind_at_the_boot_move_no_older_date() -> None:
    """It said 1970 until it was set; what lies in the ledger from before was dated aright."""
    years_s = 1_790_000_000.0
    steps = ClockSteps((Step(years_s + 500.0, years_s),))
    assert steps.dated([(years_s - 86_400.0, 1), (400.0, 2)]) == [
        (years_s - 86_400.0, 1),
        (years_s + 400.0, 2),
    ]


def test_the_system_tells_one_boot_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boot_id() == boot_id()
    monkeypatch.setattr(clock_steps, "BOOT_ID", Path("/nonexistent/boot_id"))
    assert boot_id() is None
