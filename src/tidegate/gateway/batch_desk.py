"""What one gateway process knows of batches beyond its requests."""

import asyncio
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.gateway.batch_ids import Sealed
from tidegate.gateway.holding import Held
from tidegate.gateway.key_rate import KeyRate

MAX_REMEMBERED_LINES: Final = 500_000
MAX_WATCHED: Final = 10_000
MAX_READ: Final = 10_000
MAX_HOLDS: Final = 10_000
# A key's in one gateway process: so many at once, and so many more a second.
BURST: Final = 300
PER_S: Final = 20.0


class Settled:
    """Which lines this process has settled, so that its counters are told once of each. What was
    read longest ago is forgotten first."""

    def __init__(self, most: int = MAX_REMEMBERED_LINES) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: str) -> bool:
        return id in self._ids

    def forget(self, id: str) -> None:
        self._ids.pop(id, None)

    def note(self, id: str) -> bool:
        """Whether it is the first time."""
        if id in self._ids:
            self._ids.move_to_end(id)
            return False
        self._ids[id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return True


class HeldMoney(Struct, frozen=True, eq=False):
    """What this process holds for one batch since `at_s` (monotonic seconds): the receipt that says
    so, and of which counters."""

    receipt: Receipt
    taken: list[Held]
    at_s: float


def name_of(what: Sealed) -> str:
    """What tells a batch or its results from all others: two providers may give the same id."""
    return f"{what.place.hex()}/{what.own}"


class BatchDesk:
    """`created` counts batches by target, `lines` lines by target and what became of them. `read`
    are the results that were settled to their end; `watched` the batches whose results nobody has
    read yet, and when each is looked at next (monotonic seconds); both by `name_of`. `beginning`
    are those that a provider is asked for now; `holds` what is held for those that began here, by
    the id of the hold, and `begun` the receipts that say which they are, and whose files are;
    `unsure` are the owners of those of which nobody knows whether they began, `unbegun` of those
    that did not, whose hold is still to end. This process counts `since_s` (wall clock). Files wait
    in `folder`; None: where the system has such."""

    def __init__(self) -> None:
        self.rate = KeyRate(PER_S, BURST, "ask about files and batches")
        self.settled = Settled()
        self.read = Settled(MAX_READ)
        self.watched: OrderedDict[str, tuple[Sealed, float]] = OrderedDict()
        self.holds: OrderedDict[str, HeldMoney] = OrderedDict()
        self.begun: OrderedDict[str, Receipt] = OrderedDict()
        self.unsure: list[Sealed] = []
        self.unbegun: list[Sealed] = []
        self.since_s = clock.wall_s()
        self.beginning: set[asyncio.Task[Any]] = set()
        self.created: Counter[str] = Counter()
        self.lines: Counter[tuple[str, str]] = Counter()
        self.folder: Path | None = None

    def hold(self, id: str, held: HeldMoney) -> None:
        """Beyond MAX_HOLDS the first is let go: its counters hold it until their period is over."""
        self.holds[id] = held
        if len(self.holds) > MAX_HOLDS:
            self.holds.popitem(last=False)

    def note_begun(self, receipt: Receipt) -> None:
        """What the ledger will know in a moment."""
        self.begun[receipt.id] = receipt
        if len(self.begun) > MAX_HOLDS:
            self.begun.popitem(last=False)

    def watch(self, batch: Sealed, due_s: float) -> None:
        """It is looked at then, or before where that was said already. Beyond MAX_WATCHED those
        that were named first are let go."""
        name = name_of(batch)
        known = self.watched.get(name)
        self.watched[name] = batch, due_s if known is None else min(due_s, known[1])
        if len(self.watched) > MAX_WATCHED:
            self.watched.popitem(last=False)
