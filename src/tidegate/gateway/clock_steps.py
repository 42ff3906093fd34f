"""Steps of the wall clock between one start of a gateway and the next, as long as its machine is
not started anew: receipts from before one are dated too early by now, and a budget that rolls on
would let go of them too soon.
"""

import logging
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.core import clock
from tidegate.stores.spend_reader import Amounts
from tidegate.stores.spending import QUARTER_S

log = logging.getLogger(__name__)

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
# Clocks are read one after the other, and one may be set by less without harm.
_LEAST_S: Final = 1.0
# No budget reaches back further.
_KEPT_S: Final = 367 * 86_400.0
_MOST_KEPT: Final = 100


class Step(Struct, frozen=True):
    """Noted at `noted_s` of the wall clock, which stands `by_s` further on than it did."""

    noted_s: float
    by_s: float


class _Known(Struct):
    """What the last start knew: how far the wall clock was ahead of the time since the boot."""

    boot: str
    ahead_s: float
    steps: list[Step] = []


class ClockSteps(Struct, frozen=True):
    """Steps forward, oldest first."""

    steps: tuple[Step, ...] = ()

    @property
    def total_s(self) -> float:
        """How much further back what counts may be dated."""
        return sum(step.by_s for step in self.steps)

    def dated(self, amounts: Amounts) -> Amounts:
        """The amounts with the dates that they would have by the clock of now. What was spent
        between a step and its noting may come to count later by as much, never earlier."""
        if not self.steps:
            return amounts
        return [(self._date(at_s), amount) for at_s, amount in amounts]

    def _date(self, at_s: float) -> float:
        for step in self.steps:
            if at_s < step.noted_s - step.by_s + QUARTER_S:  # sums stand at their quarters' ends
                at_s += step.by_s
        return at_s


def boot_id() -> str | None:
    """What tells one start of this machine from the next; None where the system does not say."""
    try:
        return BOOT_ID.read_text().strip() or None
    except (OSError, ValueError):
        return None


def note_steps(file: Path, boot: str | None) -> ClockSteps:
    """The steps that this gateway has to reckon with; kept in `file` for its next start."""
    if boot is None:
        return ClockSteps()
    now_s = clock.wall_s()
    ahead_s = now_s - clock.since_boot_s()
    known = _read(file)
    steps = [] if known is None else known.steps
    if known is not None and known.boot == boot and ahead_s - known.ahead_s > _LEAST_S:
        log.warning("the wall clock was set forward by %.1f s", ahead_s - known.ahead_s)
        steps = [*steps, Step(now_s, ahead_s - known.ahead_s)]
    steps = [step for step in steps if step.noted_s > now_s - _KEPT_S][-_MOST_KEPT:]
    try:
        fresh = file.with_suffix(".new")
        fresh.write_bytes(msgspec.msgpack.encode(_Known(boot, ahead_s, steps)))
        fresh.replace(file)
    except OSError as error:
        log.warning("a step of the wall clock will not be known to the next start: %s", error)
    return ClockSteps(tuple(steps))


def _read(file: Path) -> _Known | None:
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=_Known)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("what the last start knew of the clock cannot be read: %s", error)
        return None
