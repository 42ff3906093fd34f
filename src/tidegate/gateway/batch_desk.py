"""What one gateway process knows of batches beyond its requests."""

from collections import Counter, OrderedDict
from pathlib import Path
from typing import Final

MAX_REMEMBERED_LINES: Final = 500_000


class Settled:
    """Which lines this process has settled, so that its counters are told once of each. What was
    read longest ago is forgotten first."""

    def __init__(self, most: int = MAX_REMEMBERED_LINES) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ids)

    def note(self, id: str) -> bool:
        """Whether it is the first time."""
        if id in self._ids:
            self._ids.move_to_end(id)
            return False
        self._ids[id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True


class BatchDesk:
    """What one gateway process knows of batches. `created` counts by target, `lines` by target and
    what became of them. Files wait in `folder`; None: where the system has such."""

    def __init__(self) -> None:
        self.settled = Settled()
        self.created: Counter[str] = Counter()
        self.lines: Counter[tuple[str, str]] = Counter()
        self.folder: Path | None = None
