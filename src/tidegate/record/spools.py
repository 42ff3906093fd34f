"""What gateways hand over beside receipts: finished segments of their spools into the store.

A segment is stored whole, in one transaction, and then deleted; killed in between, it is read again
and changes nothing. What cannot be read of one is counted and goes with it: nothing that was said
is set aside.
"""

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine

from tidegate.core import clock
from tidegate.core.capture import decode_captured
from tidegate.core.feedback import decode_feedback
from tidegate.core.frames import frames
from tidegate.core.layout import Layout
from tidegate.core.spool import FINISHED, GROWING, MAGIC, SpoolName
from tidegate.stores import captures, database, feedback
from tidegate.stores.errors import StoreContended, StoreCorrupt, StoreError, StoreUnavailable
from tidegate.stores.spool_folder import finish_left, numbered, take_free_lock

LOOK_S: Final = 0.5
ATTACH_EVERY_S: Final = 5.0
_LAST_RETRY_S: Final = 5.0

_log = logging.getLogger(__name__)

Outcome = tuple[str, str]
Store = Callable[[Connection, list[bytes]], Counter[str]]


class Spools(Collector):
    """Works in a thread of its own. Counts are by (spool, outcome)."""

    def __init__(
        self, layout: Layout, engine: Engine, *, wall_s: Callable[[], float] = clock.wall_s
    ) -> None:
        self._layout = layout
        self._engine = engine
        self._wall_s = wall_s
        self._attach_at_s = float("-inf")
        self._failing = False
        self.counts: Counter[Outcome] = Counter()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then once more."""
        wait_s = 0.0
        while not stop.wait(wait_s):
            wait_s = self.look(wait_s)
        self.look(0.0)

    def look(self, waited_s: float) -> float:
        """One look at every spool; how many seconds to wait before the next."""
        try:
            self.step()
        except (StoreError, OSError) as error:
            if not self._failing:
                _log.error("spools are not taken in, and wait: %s", error)
            self._failing = True
            return min(max(2 * waited_s, LOOK_S), _LAST_RETRY_S)
        except Exception as error:  # told without what was said
            _log.error("spools met something unforeseen and go on: %s", type(error).__name__)
            return _LAST_RETRY_S
        self._failing = False
        return LOOK_S

    def step(self) -> None:
        """Stores and deletes what is finished. StoreError, OSError."""
        for path in self._segments("captured"):
            self._take(path, "captured", self._store_captured)
        for path in self._segments("feedback"):
            self._take(path, "feedback", self._store_feedback)
        now_s = clock.monotonic_s()
        if now_s >= self._attach_at_s + ATTACH_EVERY_S:
            self._attach_at_s = now_s
            self._attach()

    def _attach(self) -> None:
        with database.reading(self._engine) as connection:
            if not feedback.some_wait(connection):
                return
        with database.writing(self._engine) as connection:
            counts = feedback.attach_waiting(connection, self._wall_s())
        self._count("feedback", counts)

    def render(self) -> bytes:
        """The counts in Prometheus' text form."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """prometheus_client's Collector."""
        family = CounterMetricFamily(
            "tidegate_spooled",
            "What gateways handed over beside receipts, by what became of it.",
            labels=("spool", "outcome"),
        )
        for outcome, count in sorted(self.counts.copy().items()):
            family.add_metric(outcome, count)
        yield family

    def _segments(self, name: SpoolName) -> Iterator[Path]:
        """Finished ones, of gateways that live and of those that do not."""
        try:
            folders = sorted(it for it in (self._layout.spool / name).iterdir() if it.is_dir())
        except FileNotFoundError:
            return
        for folder in folders:
            if numbered(folder, GROWING):
                lock = take_free_lock(folder)
                if lock is not None:
                    finish_left(folder)
                    os.close(lock)
            for _, path in numbered(folder, FINISHED):
                yield path

    def _take(
        self,
        path: Path,
        name: SpoolName,
        store: Store,
    ) -> None:
        payloads, damaged = _read(path)
        counts: Counter[str] = Counter()
        if payloads:
            try:
                counts = self._stored(store, payloads)
            except (StoreUnavailable, StoreCorrupt, StoreContended):
                raise
            except Exception as error:
                # What no column holds must not keep all that comes behind it.
                _log.error("a segment is taken in piece by piece: %s", type(error).__name__)
                counts = self._stored_apart(store, payloads)
        path.unlink(missing_ok=True)
        counts["damaged"] += damaged
        self._count(name, counts)

    def _stored(self, store: Store, payloads: list[bytes]) -> Counter[str]:
        with database.writing(self._engine) as connection:
            return store(connection, payloads)

    def _stored_apart(self, store: Store, payloads: list[bytes]) -> Counter[str]:
        """Each by itself; what is refused even so is dropped and counted."""
        counts: Counter[str] = Counter()
        for payload in payloads:
            try:
                counts += self._stored(store, [payload])
            except (StoreUnavailable, StoreCorrupt, StoreContended):
                raise
            except Exception:
                counts["refused"] += 1
        return counts

    def _store_captured(self, connection: Connection, payloads: list[bytes]) -> Counter[str]:
        made, undecodable = _decoded(payloads, decode_captured)
        stored = captures.store(connection, made, self._wall_s())
        dropped = len(made) - stored
        return Counter(stored=stored, dropped=dropped, damaged=undecodable)

    def _store_feedback(self, connection: Connection, payloads: list[bytes]) -> Counter[str]:
        said, undecodable = _decoded(payloads, decode_feedback)
        counts = feedback.store(connection, said)
        counts["damaged"] += undecodable
        return counts

    def _count(self, name: SpoolName, counts: Counter[str]) -> None:
        for outcome, count in counts.items():
            if count:
                self.counts[name, outcome] += count


def _read(path: Path) -> tuple[list[bytes], int]:
    """The payloads of whole frames, and 1 where something behind them is none. OSError."""
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        return [], int(bool(data))
    payloads, end = [], len(MAGIC)
    for offset, payload in frames(data, end):
        if not payload:
            break
        payloads.append(payload)
        end = offset
    return payloads, int(end < len(data))


def _decoded(payloads: list[bytes], decode: Callable[[bytes], Any]) -> tuple[list[Any], int]:
    made = []
    for payload in payloads:
        try:
            made.append(decode(payload))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return made, len(payloads) - len(made)
