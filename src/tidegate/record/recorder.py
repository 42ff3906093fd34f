"""The recorder: journals into the ledger, the metrics and the signals, one batch a transaction.

A batch that the ledger does not take is kept and tried again; meanwhile the journals grow and
nothing else happens. Metrics count what the ledger took, so the two agree.
"""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import Engine

from tidegate.core import clock
from tidegate.core.layout import Layout
from tidegate.core.receipt import Receipt
from tidegate.record.folding import Folding
from tidegate.record.journals import Batch, Journals
from tidegate.record.metrics import Metrics
from tidegate.record.sessions import SessionAlert
from tidegate.stores import database
from tidegate.stores.errors import StoreError
from tidegate.stores.ledger import Ledger
from tidegate.stores.shared import node_name

# A pause after each batch lets receipts gather: a transaction costs as much as twenty receipts.
PAUSE_S = 0.04
IDLE_PAUSE_S = 0.05
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0
MAX_BATCH_RECEIPTS = 2000
_LEAST_RECEIPTS = 50
_LOOK_AT_LAG_S = 1.0

_log = logging.getLogger(__name__)

Recorded = Callable[[str, int, int], None]


def _tell_nobody(_gateway: str, _segment: int, _offset: int) -> None:
    pass


class Recorder:
    """Needs the migrated database and the right to write it (`database.claim_writer`).

    `recorded(gateway, segment, offset)` is called, in the recorder's thread, after the ledger
    holds everything up to there. `sessions`, once set, looks at each batch before. `folding` makes
    signals of what the ledger took.
    """

    def __init__(
        self,
        layout: Layout,
        engine: Engine,
        metrics: Metrics,
        *,
        recorded: Recorded = _tell_nobody,
        monotonic_s: Callable[[], float] = clock.monotonic_s,
    ) -> None:
        self._layout = layout
        node = node_name(layout.node) if database.is_shared(engine) else ""
        self._ledger = Ledger(engine, node)
        self.folding = Folding(engine, node, monotonic_s=monotonic_s)
        self.folding.tell_failed = metrics.signals_failed
        self._metrics = metrics
        self._recorded = recorded
        self.sessions: SessionAlert | None = None
        self._monotonic_s = monotonic_s
        self._journals: Journals | None = None
        self._waiting: Batch | None = None
        self._in_doubt = False
        self._is_dry = False
        self._failures = 0
        self._retry_s = 0.0
        self._lag_at_s = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then take what is there once more and end. Older receipts that
        are still to be read again for signals are left to the next start."""
        while not stop.is_set():
            stop.wait(self.step())
        self.drain(signals=False)
        self.close()

    def drain(self, max_steps: int = 1000, *, signals: bool = True) -> bool:
        """Take in everything that lies in the journals; whether it is all in the ledger. With
        `signals` until they are made of all of it too."""
        for _ in range(max_steps):
            if self.step() >= IDLE_PAUSE_S or (self._is_dry and not signals):
                return self._waiting is None and self._retry_s == 0.0
        return False

    def step(self) -> float:
        """One batch, or one look. Returns how many seconds to wait before the next."""
        try:
            batch = self._next_batch()
            self._write(batch)
        except StoreError as error:
            self.folding.doubt()
            return self._not_written(error)
        except Exception:
            # Nothing may end the recorder: what it does not take in stays in the journals.
            _log.exception("the recorder met something unforeseen and goes on")
            self.folding.doubt()
            return self._back_off()
        self._retry_s = 0.0
        self._is_dry = not batch.entries and not batch.more
        self._look_at_lag()
        if self.folding.step() or batch.more:
            return 0.0
        return PAUSE_S if batch.entries else IDLE_PAUSE_S

    def close(self) -> None:
        self.folding.close()
        if self._journals is not None:
            self._journals.close()
            self._journals = None

    def _next_batch(self) -> Batch:
        if self._waiting is not None:
            return self._waiting
        if self._journals is None:
            positions = self._ledger.positions()
            self._journals = Journals(
                self._layout.journal, positions, monotonic_s=self._monotonic_s
            )
        self._waiting = self._journals.collect(MAX_BATCH_RECEIPTS)
        if self.sessions is not None:
            self.sessions.mark(self._waiting)
        return self._waiting

    def _write(self, batch: Batch) -> None:
        new: list[Receipt] = []
        if batch.positions or batch.entries:
            new = self._store(batch)
            if self._in_doubt:  # what is there already may be there by an earlier try of this
                new = list({receipt.id: receipt for receipt, _ in batch.entries}.values())
        # After a doubt the ledger itself is read, so that what it had before counts once.
        self.folding.take(new)
        self._waiting, self._in_doubt, self._failures = None, False, 0
        self._metrics.observe(new, repeated=len(batch.entries) - len(new))
        if self._journals is not None:
            self._journals.committed(batch.positions)
        for position in batch.positions:
            self._recorded(position.gateway, position.segment, position.offset)

    def _store(self, batch: Batch) -> list[Receipt]:
        """In one transaction; after a failure in several, smaller each time: a store that is slow
        might take none of them in time otherwise. The position moves with the last."""
        part = max(len(batch.entries) >> self._failures, _LEAST_RECEIPTS)
        new: list[Receipt] = []
        rest = batch.entries
        while len(rest) > part:
            new += self._ledger.write(rest[:part], [])
            rest = rest[part:]
        return new + self._ledger.write(rest, batch.positions)

    def _not_written(self, error: StoreError) -> float:
        if self._retry_s == 0.0:
            _log.error("the ledger takes no receipts, journals keep them: %s", error)
        self._in_doubt = self._waiting is not None
        self._failures += 1
        self._metrics.ledger_failed()
        self._look_at_lag()
        return self._back_off()

    def _back_off(self) -> float:
        self._retry_s = min(max(self._retry_s * 2, FIRST_RETRY_S), LAST_RETRY_S)
        return self._retry_s

    def _look_at_lag(self) -> None:
        now_s = self._monotonic_s()
        if self._journals is not None and now_s - self._lag_at_s >= _LOOK_AT_LAG_S:
            self._lag_at_s = now_s
            journals = self._journals
            self._metrics.journals_are(journals.lags(), journals.damage(), journals.read_errors)
