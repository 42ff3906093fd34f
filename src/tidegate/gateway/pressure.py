"""What the gateway refuses when its processor or its memory runs out, or a change has it so.

The lowest class is refused first. Lag is the least of the last few turns of the ticker: a loop
that cannot keep up is late at every one, a machine that stood still for a moment only at one.
"""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tidegate.core.outcome import Refusal
from tidegate.core.priority import PRIORITIES

# From where on a class is refused: batch, standard, interactive.
MEMORY_STEPS: Final = (0.85, 0.95, 0.98)
LAG_STEPS_S: Final = (0.1, 0.3, 1.0)
LAG_TICKS: Final = 5

# The files that tell of a cgroup's memory, version 2 and 1: limit, use, and in `memory.stat` what
# of it the kernel gives up before it kills anybody.
_FILES: Final = (
    ("memory.max", "memory.current", b"inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", b"total_inactive_file"),
)
_CGROUP: Final = Path("/sys/fs/cgroup")


class Pressure:
    """What this process is short of. `admitted` counts the classes that are served, by rank;
    `sheds` says that it is not all of them."""

    def __init__(self) -> None:
        self.admitted = len(PRIORITIES)
        self.sheds = False
        self.refused = 0
        self.memory_share: float | None = None
        self._shed_rank = 0
        self._lags: deque[float] = deque(maxlen=LAG_TICKS)

    @property
    def lag_s(self) -> float:
        """The lag that stands; 0 as long as too few turns were seen."""
        return min(self._lags) if len(self._lags) == LAG_TICKS else 0.0

    def lag(self, lag_s: float) -> None:
        """How late the ticker came round. Called each time."""
        self._lags.append(lag_s)
        self._judge()

    def memory(self, share: float | None) -> None:
        """How much of the memory that there is is used, 0 to 1; None when nobody says."""
        self.memory_share = share
        self._judge()

    def shed(self, classes: int) -> None:
        """So many classes are refused at least, the lowest first: what the lever is held at."""
        self._shed_rank = classes
        self._judge()

    def check(self, rank: int) -> None:
        """Refusal when requests of this class are not served now."""
        if rank >= self.admitted:
            self.refused += 1
            raise self.refusal()

    def refusal(self) -> Refusal:
        """The no of now."""
        by_memory, by_lag = self._over_memory(), _over(self.lag_s, LAG_STEPS_S)
        why = "its operators shed requests of this priority for now"
        if by_memory or by_lag:
            why = f"the gateway is short of {'memory' if by_memory else 'processor time'}"
        lowest = "" if self.admitted == 0 else "; requests of a higher priority are served"
        return Refusal("overloaded", why + lowest, retry_after_s=1.0)

    def _over_memory(self) -> int:
        return _over(self.memory_share or 0.0, MEMORY_STEPS)

    def _judge(self) -> None:
        over = max(_over(self.lag_s, LAG_STEPS_S), self._over_memory(), self._shed_rank)
        self.admitted = len(PRIORITIES) - over
        self.sheds = over > 0


def _over(value: float, steps: tuple[float, ...]) -> int:
    return sum(value >= step for step in steps)


def memory_share(resident_bytes: int | None, root: Path = _CGROUP) -> float | None:
    """How much of this process's memory is used: of its cgroup's, or of the machine's by itself.

    What others use of a machine is no reason to refuse; what the cgroup uses is, for it is
    killed as one. None where the system says neither.
    """
    cgroup = _of_cgroup(root)
    if cgroup is not None or resident_bytes is None:
        return cgroup
    total_bytes = _fields(Path("/proc/meminfo")).get(b"MemTotal:", 0) * 1024
    return resident_bytes / total_bytes if total_bytes else None


def _of_cgroup(root: Path) -> float | None:
    machine_bytes = _fields(Path("/proc/meminfo")).get(b"MemTotal:", 0) * 1024
    for limit_file, use_file, spare_name in _FILES:
        limit_bytes, used_bytes = _number(root / limit_file), _number(root / use_file)
        if limit_bytes is None or used_bytes is None or not limit_bytes:
            continue
        if machine_bytes and limit_bytes >= machine_bytes:
            continue  # no limit, in version 1's words
        stat = _fields((root / use_file).with_name("memory.stat"))
        return max(used_bytes - stat.get(spare_name, 0), 0) / limit_bytes
    return None


def _number(file: Path) -> int | None:
    """The number in a file; None where there is no such file, or `max` in it."""
    try:
        text = file.read_bytes().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _fields(file: Path) -> Mapping[bytes, int]:
    """The numbers of a file of lines `name number`; empty where there is none."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return {}
    words = [line.split() for line in lines]
    return {parts[0]: int(parts[1]) for parts in words if len(parts) > 1 and parts[1].isdigit()}
