"""The vectors of kept questions that one gateway process can search, by route.

In its memory, or in a store that all gateways share, whose scheme says what it is. What searches is
loaded when a route first needs it. Where that is not installed the routes' tier finds nothing, and
the log says once what to do.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from tidegate.core import plugs
from tidegate.core.cache import Bounds, SemanticCache
from tidegate.core.cache_labels import Labels
from tidegate.core.database_ref import (
    CountersRef,
    DatabaseRef,
    VectorsRef,
    VectorStore,
    resolve,
)
from tidegate.core.neighbours import NOWHERE, Vectors
from tidegate.core.plan import Plan, Route
from tidegate.core.plugs import PlugError
from tidegate.gateway.kept_disk import KeptDisk
from tidegate.stores.disk_answers import DiskVectors
from tidegate.stores.memory_answers import Room
from tidegate.stores.memory_vectors import MemoryVectors, Rows
from tidegate.stores.redis_address import parse
from tidegate.stores.redis_vectors import RedisVectors
from tidegate.stores.remote_vectors import RemoteVectors
from tidegate.stores.vector_thread import VectorThread

log = logging.getLogger(__name__)

# What is purged waits for its turn so often, so long.
_TURNS: Final = 100
_TURN_S: Final = 0.05
_INSTALL: Final = "pip install 'tidegate[semantic]'"


class SharedVectors(Protocol):
    """The vectors of all routes in a store that gateways share. `errors` counts calls without an
    answer, `damaged` what was not what was put, `full` what it had no room for, `evicted` what made
    room."""

    errors: int
    damaged: int
    full: int
    evicted: int

    @property
    def busy(self) -> bool:
        """Whether what is told now is not done."""

    @property
    def works(self) -> bool:
        """Whether what was asked last had an answer."""

    def of(self, route: str, max_bytes: int) -> Vectors: ...

    def drop(self, route: str, partition: bytes, key: bytes) -> None: ...

    async def run(self) -> None:
        """Keeps what reaches it, until cancelled."""

    def stop(self) -> None: ...


ConnectVectors = Callable[[VectorStore], SharedVectors]


class VectorStores:
    """`room` is what all that this process keeps may take. `missing` says why there is nothing to
    search with, None while there is. `disk` is what outlives the process. `connect` reaches the
    store that gateways share, `shared` is it while a route keeps vectors there."""

    def __init__(self, room: Room) -> None:
        self.memory: dict[str, MemoryVectors] = {}
        self.missing: str | None = None
        self.connect: ConnectVectors | None = None
        self.shared: SharedVectors | None = None
        self.disk: KeptDisk | None = None
        self._room = room
        self._aside = VectorThread()
        self._make: Callable[[], Rows] | None = None
        self._named: VectorStore | None = None
        self._keeping: asyncio.Task[None] | None = None

    def of(self, route: Route, bounds: SemanticCache) -> Vectors:
        """Where those of this route are. What a plan has just begun to keep has none yet."""
        if bounds.store == "shared":
            shared = self.shared
            return NOWHERE if shared is None else shared.of(route.name, bounds.max_bytes)
        held = self.memory.get(route.name)
        if held is None:
            make = self.loaded()
            if make is None:
                return NOWHERE
            held = self._begun(make, route.name, bounds)
            self.memory[route.name] = held
        return held

    def works(self, bounds: SemanticCache) -> bool:
        """Whether the store that keeps these has an answer now."""
        return bounds.store != "shared" or (self.shared is not None and self.shared.works)

    def on_disk(self, route: str, bounds: Bounds) -> DiskVectors | None:
        """Those of a route whose rows come back from the file."""
        make = self.loaded()
        if make is None:
            return None
        held = self.memory.get(route) or self._begun(make, route, bounds)
        self.memory[route] = held
        return held if isinstance(held, DiskVectors) else None

    def _begun(self, make: Callable[[], Rows], route: str, bounds: Bounds) -> MemoryVectors:
        if self.disk is None or bounds.store != "disk":
            return MemoryVectors(make, self._aside, bounds.max_bytes, self._room)
        file = self.disk.begin(), f"vectors:{route}"
        return DiskVectors(make, self._aside, bounds.max_bytes, self._room, file)

    def obey(self, plan: Plan) -> None:
        """The plan of now: its bounds hold, and what its routes do not keep is forgotten."""
        keeping = _keeping(plan.routes)
        for name, held in list(self.memory.items()):
            if name in keeping and self._is_there(held, keeping[name]):
                held.bound(keeping[name].max_bytes)
            else:
                held.clear()
                del self.memory[name]
        shares = any(bounds.store == "shared" for bounds in keeping.values())
        self._reach(_named(plan) if shares else None)

    @property
    def not_searched(self) -> int:
        """Searches of this process' memory that came too late, or found too much in line."""
        return self._aside.late + self._aside.refused

    async def forget(self, labels: Labels, key: bytes) -> None:
        """The question of a shared answer that was taken out."""
        for _ in range(_TURNS):
            if self.shared is None or not self.shared.busy:
                break
            await asyncio.sleep(_TURN_S)
        for partition in labels.places:
            if self.shared is not None and labels.route is not None:
                self.shared.drop(labels.route, partition, key)

    def stop(self) -> None:
        self._reach(None)
        self._aside.stop()

    def loaded(self) -> Callable[[], Rows] | None:
        """What searches; the first call takes a while, in whichever thread."""
        if self._make is None and self.missing is None:
            try:
                self._make = plugs.load("stores", "hnsw_vectors")
            except PlugError as error:
                self.missing = f"vectors cannot be searched here ({error}): {_INSTALL}"
                log.error("semantic answers are off: %s", self.missing)
        return self._make

    def _is_there(self, held: MemoryVectors, bounds: SemanticCache) -> bool:
        """Whether the plan of now has them where they are."""
        is_disk = self.disk is not None and bounds.store == "disk"
        return bounds.store != "shared" and isinstance(held, DiskVectors) == is_disk

    def _reach(self, named: VectorStore | None) -> None:
        """Keeps the store that gateways share, while there is one."""
        if named == self._named:
            return
        if self._keeping is not None:
            self._keeping.cancel()
        if self.shared is not None:
            self.shared.stop()
        self._named, self.shared, self._keeping = named, None, None
        if named is None or self.connect is None:
            return
        try:
            self.shared = self.connect(named)
        except (ValueError, OSError, PlugError) as error:
            log.error("the store of vectors is not to be had, nothing is found there: %s", error)
            return
        self._keeping = asyncio.get_running_loop().create_task(self.shared.run())


def reaching(environ: Mapping[str, str], name: str) -> ConnectVectors:
    """What reaches the shared store of a plan, as this gateway. ValueError and OSError where its
    address is not to be had, PlugError where its client is not installed."""

    def connect(named: VectorStore) -> SharedVectors:
        ref = VectorsRef(named.env, named.file, named.url)
        url = resolve(ref, environ, lambda file: Path(file).read_text("utf-8"))
        scheme = urlsplit(url.reveal()).scheme
        if scheme in CountersRef.schemes:
            return RedisVectors(parse(url.reveal()), name)
        if scheme in DatabaseRef.schemes:
            return RemoteVectors(plugs.load("stores", "pgvector_vectors")(url), "PostgreSQL")
        try:
            return RemoteVectors(plugs.load("stores", "qdrant_vectors")(url), "Qdrant")
        except PlugError as error:
            raise PlugError(f"{error}: pip install 'tidegate[qdrant]'") from error

    return connect


def _named(plan: Plan) -> VectorStore | None:
    """Where they are: the Redis of the answers, unless the plan says otherwise."""
    counters = plan.counters
    if plan.vectors is not None or counters is None:
        return plan.vectors
    return VectorStore(counters.env, counters.file, counters.url)


def _keeping(routes: Mapping[str, Route]) -> dict[str, SemanticCache]:
    """What routes, or their releases under way, keep."""
    found: dict[str, SemanticCache] = {}
    for name, route in routes.items():
        for one in (route, *(candidate.route for candidate in route.candidates)):
            if one.cache is not None and one.cache.semantic is not None:
                found.setdefault(name, one.cache.semantic)
    return found
