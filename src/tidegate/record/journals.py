"""All journals of this machine: which gateways there are, their fair turn, and how far behind."""

import logging
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.record.tail import Damage, JournalTail
from tidegate.stores.ledger import Position

_LOOK_FOR_GATEWAYS_S = 1.0

_log = logging.getLogger(__name__)


class Batch(Struct):
    """What goes to the ledger in one transaction. `more`: there was more than fitted."""

    entries: list[tuple[Receipt, bytes]]
    positions: list[Position]
    more: bool


class Lag(Struct, frozen=True):
    """How far the ledger is behind one gateway's journal.

    `seconds` since everything written by then was in the ledger; 0 while nothing waits.
    """

    gateway: str
    bytes: int
    seconds: float


class Journals:
    """Tails for every folder below `folder`. A folder may come and go at any time."""

    def __init__(
        self,
        folder: Path,
        positions: dict[str, Position],
        *,
        monotonic_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        self._folder = folder
        self._committed = dict(positions)
        self._monotonic_s = monotonic_s
        self._tails: dict[str, JournalTail] = {}
        self._level_at_s: dict[str, float] = {}
        self._damage: dict[tuple[str, Damage], int] = {}
        self._look_at_s = float("-inf")
        self.read_errors = 0

    def collect(self, max_receipts: int) -> Batch:
        """The next batch; a busy gateway cannot starve a quiet one."""
        self._look_for_gateways()
        batch = Batch([], [], False)
        names = list(self._tails)
        for name in names:
            share = max(max_receipts // len(names), 1)
            try:
                taken = self._tails[name].take(share)
            except OSError as error:
                self._lose(name, error)
                continue
            tail = self._tails[name]
            batch.entries += taken
            batch.more = batch.more or (bool(taken) and tail.behind)
            here = Position(name, tail.segment, tail.offset)
            if here != self._committed.get(name, Position(name, 0, 0)):
                batch.positions.append(here)
            if not tail.behind:
                self._level_at_s[name] = self._monotonic_s()
        return batch

    def committed(self, positions: list[Position]) -> None:
        """The ledger holds everything up to `positions`: finished segments go."""
        for position in positions:
            before = self._committed.get(position.gateway)
            self._committed[position.gateway] = position
            tail = self._tails.get(position.gateway)
            if tail is not None and (before is None or before.segment != position.segment):
                try:
                    tail.drop_committed(position.segment)
                except OSError as error:
                    # They go with the next finished segment; until then they only take space.
                    self.read_errors += 1
                    _log.error("finished segments in %s stay: %s", tail.folder, error)

    def lags(self) -> list[Lag]:
        """One row a gateway. Reads the folders, so ask about once a second."""
        now_s = self._monotonic_s()
        rows = []
        for name, tail in list(self._tails.items()):
            try:
                waiting = tail.unread_bytes()
            except OSError as error:
                self._lose(name, error)
                continue
            if waiting == 0:
                self._level_at_s[name] = now_s
            rows.append(Lag(name, waiting, now_s - self._level_at_s[name]))
        return rows

    def damage(self) -> dict[tuple[str, Damage], int]:
        """What was skipped so far, by gateway and kind."""
        for name, tail in self._tails.items():
            self._gather(name, tail)
        return dict(self._damage)

    def close(self) -> None:
        for tail in self._tails.values():
            tail.close()

    def _look_for_gateways(self) -> None:
        now_s = self._monotonic_s()
        if now_s - self._look_at_s < _LOOK_FOR_GATEWAYS_S:
            return
        self._look_at_s = now_s
        try:
            found = {path.name: path for path in self._folder.iterdir() if path.is_dir()}
        except FileNotFoundError:
            found = {}
        for name in sorted(found.keys() - self._tails.keys()):
            at = self._committed.get(name)
            start = None if at is None else (at.segment, at.offset)
            self._tails[name] = JournalTail(found[name], start)
            self._level_at_s[name] = now_s

    def _lose(self, name: str, error: OSError) -> None:
        """Forget a tail whose folder is gone or unreadable; it is opened anew when it is back."""
        tail = self._tails.pop(name)
        self._gather(name, tail)
        tail.close()
        if not isinstance(error, FileNotFoundError):
            self.read_errors += 1
            _log.error("journal of %s cannot be read: %s", name, error)

    def _gather(self, name: str, tail: JournalTail) -> None:
        for kind, count in tail.damage.items():
            self._damage[name, kind] = self._damage.get((name, kind), 0) + count
        tail.damage.clear()
