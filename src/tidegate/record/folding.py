"""What the recorder has stored becomes signals: folded in memory, added to the store now and then.

Signals never hold up the ledger and are never made of anything else. The mark of the last receipt
that is in them moves in their own transaction. As long as nothing fails, receipts are folded as
they are stored; whenever it is not sure what the ledger or the signals hold (at the start, after an
error) all that was in memory is forgotten, and receipts beyond the mark are read again.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from sqlalchemy import Engine

from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.core.sli import OfRoute
from tidegate.record.bins import MANY_BINS, Bins
from tidegate.record.blocks import Blocks, Fold
from tidegate.record.cache_bins import CacheBins
from tidegate.stats.block_fold import BlockFold
from tidegate.stores import blocks, cache_sums, database, signal_marks, unfolded
from tidegate.stores.errors import StoreError
from tidegate.stores.signal_bins import SignalWriter
from tidegate.stores.unfolded import Stretch

EVERY_S: Final = 10.0
# Receipts that are read again at once; between two such parts the ledger has its turn.
PART_RECEIPTS: Final = 2000
_FIRST_RETRY_S: Final = 0.5
_LAST_RETRY_S: Final = 30.0

_log = logging.getLogger(__name__)


class Folding:
    """Of one recorder, in its thread. `fold_of` makes what a release's receipts are folded by,
    `every_s` says how often what is folded is stored, `tell_failed` hears of each try in vain."""

    def __init__(
        self,
        engine: Engine,
        node: str,
        *,
        every_s: float = EVERY_S,
        fold_of: Callable[[str], Fold] = BlockFold,
        monotonic_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        self._engine = engine
        self._node = node
        self.every_s: Callable[[], float] = lambda: every_s
        self._monotonic_s = monotonic_s
        self._new_bins: Callable[[], Bins] = Bins
        self._bins = self._new_bins()
        self._cache = CacheBins()
        self._writer = SignalWriter(engine, node)
        self._blocks = Blocks(engine, node, fold_of)
        self.tell_failed: Callable[[], None] = lambda: None
        # Whether memory holds all that the ledger has beyond the mark, and nothing else.
        self._is_level = False
        self._mark_seq = 0
        self._due_s = float("-inf")
        self._retry_s = 0.0

    @property
    def is_level(self) -> bool:
        """Whether what is stored is folded; else receipts are still to be read again."""
        return self._is_level

    def judge_by(self, patience_of: OfRoute) -> None:
        """From the start on judge each route's requests by its clients' patience."""
        self._new_bins = partial(Bins, patience_of)
        self._bins = self._new_bins()

    def take(self, receipts: Iterable[Receipt]) -> None:
        """Fold receipts that the ledger took, in its order. While older ones are read again these
        will be too."""
        if not self._is_level:
            return
        try:
            for receipt in receipts:
                self._fold(receipt)
        except StoreError as error:
            self._failed(error)

    def doubt(self) -> None:
        """It is not sure what the ledger took."""
        self._bins = self._new_bins()
        self._cache = CacheBins()
        self._writer.forget()
        self._blocks.forget()
        self._is_level = False

    def step(self) -> bool:
        """Store what is due, or read a part again; only while it is sure what the ledger took.
        Whether there is more to do at once."""
        if self._monotonic_s() < self._due_s and len(self._bins) < MANY_BINS:
            return False
        try:
            if self._is_level:
                self._store(None)
            else:
                self._catch_up()
        except Exception as error:
            # Nothing may end the recorder, and no signal is worth the ledger.
            self._failed(error)
            return False
        self._retry_s = 0.0
        self._due_s = self._monotonic_s() + (self._pause_s() if self._is_level else 0.0)
        return not self._is_level

    def close(self) -> None:
        """Store what there is; what does not succeed is read again at the next start."""
        self._due_s = float("-inf")
        if self._is_level:
            self.step()

    def _pause_s(self) -> float:
        """However seldom the loop looks, alerts and people are not kept waiting."""
        return min(self.every_s(), EVERY_S)

    def _fold(self, receipt: Receipt) -> None:
        try:
            self._bins.fold(receipt)
            if receipt.cache is not None:
                self._cache.fold(receipt)
            if receipt.rollout is not None:
                self._blocks.add(receipt, self._mark_seq, clock.wall_s())
        except StoreError:
            raise
        except Exception:
            _log.exception("receipt %s is in no signal", receipt.id)

    def _catch_up(self) -> None:
        with database.reading(self._engine) as connection:
            self._mark_seq = signal_marks.folded(connection, self._node)
            part = unfolded.stored(
                connection, self._node, Stretch(self._mark_seq), most=PART_RECEIPTS
            )
        for _, receipt in part:
            if receipt is not None:
                self._fold(receipt)
        is_last = len(part) < PART_RECEIPTS
        if part:
            self._store(part[-1][0])
        self._is_level = is_last

    def _store(self, upto_seq: int | None) -> None:
        """Everything in memory, which is all of this recorder's receipts up to this number, or to
        the newest."""
        bins, of_caches = self._bins.take(), self._cache.take()
        closed = self._blocks.close(clock.wall_s())
        if not bins and not of_caches and not closed and upto_seq is None:
            return
        with database.writing(self._engine) as connection:
            seq = unfolded.newest_seq(connection) if upto_seq is None else upto_seq
            self._writer.add(connection, bins, seq)
            cache_sums.add(connection, self._node, of_caches)
            for block in closed:
                blocks.append(connection, self._node, block, self._mark_seq, seq)
        self._mark_seq = seq

    def _failed(self, error: Exception) -> None:
        self.doubt()
        self.tell_failed()
        if self._retry_s == 0.0:
            known = isinstance(error, StoreError)
            _log.error("signals wait, receipts are read again later: %s", error, exc_info=not known)
        self._retry_s = min(max(self._retry_s * 2, _FIRST_RETRY_S), _LAST_RETRY_S)
        self._due_s = self._monotonic_s() + self._retry_s
