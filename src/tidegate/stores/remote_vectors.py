"""Vectors in a store that all gateways share and whose client blocks: asked in threads, within a
deadline.

One thread asks, another writes, so that who asks never waits behind what is written. What is away
is left alone for a while that grows; meanwhile nothing is found and nothing is kept. What can never
be asked is told once, and again when that is another thing.
"""

import logging
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from tidegate.core import clock
from tidegate.core.encoding import Vector
from tidegate.core.neighbours import Neighbour
from tidegate.core.vector_record import checksum
from tidegate.stores.vector_thread import VectorThread

log = logging.getLogger(__name__)

PATIENCE_S: Final = 0.020
_RETRY_S: Final = 1.0
_RETRY_MAX_S: Final = 30.0
# What one costs there beside its numbers, twice, and its question.
_ENTRY_BYTES: Final = 1200
# Expired ones are deleted, and the bound is looked at, once in so many that are put.
_SWEEP_PUTS: Final = 256


class Row(NamedTuple):
    """One as it lies there. `crc` is core.vector_record's, without the vector."""

    key: bytes
    question: str
    crc: bytes
    score: float = 0.0


class Backend(Protocol):
    """The client of one store. All of it blocks, and raises whatever it raises."""

    def search(self, route: str, partition: bytes, vector: Vector, most: int) -> list[Row]: ...

    def put(
        self, route: str, partition: bytes, row: Row, vector: Vector, keep_s: float
    ) -> None: ...

    def drop(self, route: str, partition: bytes, key: bytes) -> None: ...

    def sweep(self, route: str, most: int) -> int:
        """Deletes what has expired, and of the rest what expires soonest beyond so many. How many
        of those there were."""

    def forget(self) -> None:
        """What was made there may be there no more."""

    def close(self) -> None: ...


class RemoteVectors:
    """The vectors of every route behind one store. `where` is its name in what is told."""

    def __init__(self, backend: Backend, where: str, patience_s: float = PATIENCE_S) -> None:
        self.backend = backend
        self.patience_s = patience_s
        self.reading, self.writing = VectorThread(), VectorThread()
        self._where = where
        self._routes: dict[str, _OfRoute] = {}
        self._told: str | None = None
        self._stopped = False
        self._away_until_s = self._wait_s = 0.0
        self.errors = self.damaged = self.evicted = self.full = 0

    @property
    def busy(self) -> bool:
        """Whether what is told now is not done."""
        return self.writing.full

    @property
    def works(self) -> bool:
        """Whether what was asked last had an answer; so while nothing was asked."""
        return self._told is None

    def of(self, route: str, max_bytes: int) -> "_OfRoute":
        found = self._routes.get(route)
        if found is None:
            found = self._routes[route] = _OfRoute(self, route)
        found.max_bytes = max_bytes
        return found

    def drop(self, route: str, partition: bytes, key: bytes) -> None:
        self.write(self.backend.drop, route, partition, key)

    async def run(self) -> None:
        """It is reached when it is asked."""

    @property
    def away(self) -> bool:
        return clock.monotonic_s() < self._away_until_s

    def stop(self) -> None:
        """What is in line is not done."""
        self._stopped = True
        self.reading.stop()
        self.writing.stop(self.backend.close)

    def write(self, what: Callable[..., None], *given: object) -> None:
        """Nobody waits for it; where too much is in line it is not done."""
        if self.away:
            self.errors += 1
        elif self.writing.full:
            self.full += 1
        else:
            self.writing.do(self.tried, what, *given)

    def tried(self, what: Callable[..., list[Row] | None], *given: object) -> list[Row] | None:
        """In a thread: what it gives, or None where the store is away."""
        if self._stopped or self.away:
            return None
        try:
            found = what(*given)
        except Exception as error:
            self.errors += 1
            self.backend.forget()
            self._wait_s = min(max(2 * self._wait_s, _RETRY_S), _RETRY_MAX_S)
            self._away_until_s = clock.monotonic_s() + self._wait_s
            told = str(error).strip() or type(error).__name__
            if told != self._told:
                self._told = told
                log.warning("%s keeps no vectors and finds none: %s", self._where, told)
            return None
        if self._told is not None:
            log.info("%s is there", self._where)
        self._told, self._wait_s = None, 0.0
        return found


class _OfRoute:
    """core.neighbours.Vectors of one route."""

    def __init__(self, store: RemoteVectors, route: str) -> None:
        self.max_bytes = 0
        self._store = store
        self._route = route
        self._puts = 0

    async def nearest(self, partition: bytes, vector: Vector, most: int) -> list[Neighbour]:
        store = self._store
        if not vector or len(vector) % 4 or most < 1 or store.away:
            return []
        search = store.backend.search
        rows = await store.reading.ask(
            *(store.tried, search, self._route, partition, vector, most),
            patience_s=store.patience_s,
        )
        found = []
        for row in rows or ():
            if checksum(partition, row.key, b"", row.question) == row.crc:
                found.append(Neighbour(row.key, row.score, row.question))
            else:
                store.damaged += 1
        return sorted(found, key=lambda it: -it.score)

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        store = self._store
        size = 2 * len(vector) + len(question) + _ENTRY_BYTES
        if not vector or len(vector) % 4 or keep_s <= 0 or size > self.max_bytes:
            return
        row = Row(key, question, checksum(partition, key, b"", question))
        store.write(store.backend.put, self._route, partition, row, vector, keep_s)
        self._puts += 1
        if self._puts % _SWEEP_PUTS == 0:
            store.write(self._sweep, max(self.max_bytes // size, 1))

    def drop(self, partition: bytes, key: bytes) -> None:
        self._store.drop(self._route, partition, key)

    def _sweep(self, most: int) -> None:
        self._store.evicted += self._store.backend.sweep(self._route, most)
