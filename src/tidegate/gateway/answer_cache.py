"""The kept answers of one gateway process, by route, and what they have come to."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tidegate.core import clock
from tidegate.core.cache import Bounds, Tier
from tidegate.core.cache_labels import BEGINNING, Labels, Mark, Selector
from tidegate.core.database_ref import CountersRef, CounterStore, resolve
from tidegate.core.kept_answer import Answers, Found, KeptAnswer
from tidegate.core.plan import Plan, Route
from tidegate.gateway.chunk_worth import ChunkWorth
from tidegate.gateway.clock_steps import boot_id
from tidegate.gateway.flights import Flights
from tidegate.gateway.invalidations import Invalidations
from tidegate.gateway.kept_disk import KeptDisk
from tidegate.gateway.key_rate import KeyRate
from tidegate.gateway.semantic_tier import SemanticTier
from tidegate.gateway.vector_stores import VectorStores
from tidegate.stores.disk_answers import DiskAnswers, DiskVectors
from tidegate.stores.memory_answers import MemoryAnswers, Room
from tidegate.stores.memory_vectors import MemoryVectors
from tidegate.stores.redis_address import parse
from tidegate.stores.redis_answers import RedisAnswers

log = logging.getLogger(__name__)

# What all routes of a process may keep together.
MOST_BYTES: Final = 512 * 1024 * 1024
Heard = Callable[[str, Selector], None]
# What a key may ask of chunks in one process.
CHUNKS_PER_S: Final = 100.0
CHUNKS_BURST: Final = 200
Connect = Callable[[CounterStore, Heard, Mapping[str, Selector]], RedisAnswers]


def connecting(environ: Mapping[str, str], name: str) -> Connect:
    """What reaches the shared store of a plan, as this gateway. ValueError and OSError where its
    address is not to be had."""

    def connect(named: CounterStore, heard: Heard, known: Mapping[str, Selector]) -> RedisAnswers:
        ref = CountersRef(named.env, named.file, named.url)
        url = resolve(ref, environ, lambda file: Path(file).read_text("utf-8"))
        return RedisAnswers(parse(url.reveal()), name, heard, known)

    return connect


class AnswerCache:
    """`lookups` counts by route, tier and outcome, `items` those of embeddings by route and whether
    they were kept, `unkept` answers that were not kept, by route and why. `served` is the model
    that each target said it used last. `tasks` ask anew for what is stale, or keep vectors.
    `chunk_rate` bounds what a key asks of chunks. This process has heard of invalidations since
    `since_s` (monotonic), `machine` names the start of its machine. `connect` reaches the store
    that gateways share, `shared` is it while a route keeps any: what is invalidated there counts
    for a gateway's memory too. `disk` is what outlives the process, where there is a place for it.
    `vectors` are those of the semantic tier."""

    def __init__(self) -> None:
        self.flights = Flights()
        self.memory: dict[tuple[str, Tier], MemoryAnswers] = {}
        self.invalidations = Invalidations(self.memory.values, self._indexes)
        self._room = Room(MOST_BYTES)
        self.vectors = VectorStores(self._room)
        self.semantic = SemanticTier(self.vectors)
        self.lookups: Counter[tuple[str, Tier, str]] = Counter()
        self.items: Counter[tuple[str, str]] = Counter()
        self.unkept: Counter[tuple[str, str]] = Counter()
        self.kept: Counter[str] = Counter()
        self.served: dict[str, str] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.chunks: defaultdict[str, ChunkWorth] = defaultdict(ChunkWorth)
        self.chunk_rate = KeyRate(CHUNKS_PER_S, CHUNKS_BURST, "ask for chunks")
        self.machine = boot_id() or ""
        self.since_s = clock.monotonic_s()
        self.stopped = False
        self.disk: KeptDisk | None = None
        self.connect: Connect | None = None
        self.shared: RedisAnswers | None = None
        self._kept_places: dict[tuple[str, Tier], Bounds] = {}
        self._nowhere = MemoryAnswers(0)
        self._named: CounterStore | None = None
        self._keeping: asyncio.Task[None] | None = None

    def of(self, route: Route, tier: Tier, bounds: Bounds) -> Answers:
        """Where a tier's of this route are. What a plan has just begun to keep has none yet."""
        if bounds.store == "shared":
            if self.shared is None:
                return self._nowhere
            return self.shared.of(route.name, tier, bounds.max_bytes, bounds.max_entry_bytes)
        held = self.memory.get((route.name, tier))
        if held is None:
            held = self.memory[route.name, tier] = self._begun(route.name, tier, bounds)
        return held

    def keep_in(self, path: Path) -> None:
        """Where `store: disk` is."""
        self.disk = KeptDisk(path, self._store_of, self._is_void)
        self.disk.prepare = self._prepare
        self.disk.tidy = self.invalidations.forget_questions
        self.vectors.disk = self.disk

    def caught_up(self) -> None:
        """Control has told all that it knows."""
        if self.disk is not None:
            self.disk.caught_up()

    def forget_all(self) -> None:
        """Some invalidations were missed."""
        self.invalidations.forget_all()
        if self.disk is not None:
            self.disk.forget_all()

    def obey(self, plan: Plan) -> None:
        """The plan of now: its bounds hold, and what its routes do not keep is forgotten."""
        keeping = _keeping(plan.routes)
        for place, held in list(self.memory.items()):
            is_disk = isinstance(held, DiskAnswers)
            if place in keeping and is_disk == self._is_disk(keeping[place]):
                held.bound(keeping[place].max_bytes)
            else:
                held.clear()
                del self.memory[place]
        if self.disk is not None and any(it.store == "disk" for it in keeping.values()):
            self.disk.begin()
        self._kept_places = keeping
        self.vectors.obey(plan)
        self._reach(plan)
        self.semantic.obey(plan)
        targets = plan.targets
        self.served = {name: it for name, it in self.served.items() if name in targets}

    def is_current(self, found: Found) -> bool:
        """Whether its target has not been heard to use another model since."""
        answer = found.answer
        return self.served.get(answer.target, answer.model_served) == answer.model_served

    def mark(self, received_s: float) -> Mark:
        """What had been invalidated when a request came (monotonic seconds)."""
        number = self.invalidations.number_at(received_s)
        if self.shared is None:
            return Mark(number) if number else BEGINNING
        return Mark(number, self.shared.invalidations.id_at(received_s))

    def id_at_most(self, id: str) -> str:
        """Of the stream of the shared store: no newer than what was read of it here."""
        return "" if self.shared is None else self.shared.invalidations.at_most(id)

    def is_void(self, labels: Labels, *, shared: bool) -> bool:
        """Whether something with these, which was good by its `number` and `id`, is void now."""
        if shared:
            store = self.shared
            return store is not None and store.invalidations.voids(labels)
        return self.invalidations.is_void(labels, labels.number)

    def is_there(self, bounds: Bounds) -> bool:
        """Whether what a tier keeps can be asked for now."""
        return bounds.store != "shared" or (self.shared is not None and self.shared.open)

    def failed(self, bounds: Bounds) -> int:
        """How often the shared store has not said whether it has something, of a tier in it."""
        return self.shared.errors if bounds.store == "shared" and self.shared is not None else 0

    def invalidate(self, name: str, selector: Selector) -> None:
        """Control says so, under this id."""
        if self.invalidations.is_new(name, selector):
            self.invalidations.hear(selector, "control")
            if self.disk is not None:
                self.disk.told(name, selector, self.invalidations.swept)
            if self.shared is not None:
                self.shared.invalidate(name, selector)

    def _heard(self, name: str, selector: Selector) -> None:
        """The shared store says so; control may have been before it."""
        if not name or self.invalidations.is_new(name, selector):
            self.invalidations.hear(selector, "store")

    def _indexes(self) -> Iterator[tuple[MemoryVectors, MemoryAnswers]]:
        """Of questions, with the answers of the same route; those of a shared store lapse."""
        for name, index in self.vectors.memory.items():
            answers = self.memory.get((name, "semantic"))
            if answers is not None:
                yield index, answers

    def _prepare(self) -> None:
        if any(tier == "semantic" for _, tier in self._kept_places):
            self.vectors.loaded()

    def _begun(self, name: str, tier: Tier, bounds: Bounds) -> MemoryAnswers:
        room, log = self._room, self.invalidations.log
        if self.disk is not None and bounds.store == "disk":
            return DiskAnswers(bounds.max_bytes, room, log, self.disk.begin(), f"{tier}:{name}")
        return MemoryAnswers(bounds.max_bytes, room, log)

    def _is_disk(self, bounds: Bounds) -> bool:
        return self.disk is not None and bounds.store == "disk"

    def _store_of(self, place: str) -> DiskAnswers | DiskVectors | None:
        """Of what the file holds."""
        tier, _, name = place.partition(":")
        for (route, kept), bounds in self._kept_places.items():
            if route != name or not self._is_disk(bounds):
                continue
            if tier == "vectors" and kept == "semantic":
                return self.vectors.on_disk(name, bounds)
            if tier == kept:
                if (name, kept) not in self.memory:
                    self.memory[name, kept] = self._begun(name, kept, bounds)
                held = self.memory[name, kept]
                return held if isinstance(held, DiskAnswers) else None
        return None

    def _is_void(self, answer: KeptAnswer | None) -> bool | None:
        """By what gateways and applications have said over the shared store; None: not known."""
        if self.shared is None:
            return False
        if not self.shared.invalidations.is_current:
            return None
        return answer is not None and self.shared.invalidations.voids(answer.labels)

    def _reach(self, plan: Plan) -> None:
        """Keeps a connection to the shared store while a route of the plan keeps answers."""
        keeps = any(True for route in plan.routes.values() for _ in _tiers(route))
        named = plan.counters if keeps else None
        if named == self._named:
            return
        if self._keeping is not None:
            self._keeping.cancel()
        self._named, self.shared, self._keeping = named, None, None
        if named is None or self.connect is None:
            return
        try:
            self.shared = self.connect(named, self._heard, self.invalidations.known)
        except (ValueError, OSError) as error:
            log.error("the store of kept answers is not to be had, nothing is kept: %s", error)
            return
        self.shared.purge.forget = self.vectors.forget
        self._keeping = asyncio.get_running_loop().create_task(self.shared.run())

    async def stop(self) -> None:
        """Ends what asks anew; each leaves its receipt."""
        self.stopped = True
        self.invalidations.stop()
        self.semantic.stop()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.vectors.stop()
        if self.disk is not None:
            await self.disk.stop()


def _keeping(routes: Mapping[str, Route]) -> dict[tuple[str, Tier], Bounds]:
    """What routes, or their releases under way, keep in memory."""
    found: dict[tuple[str, Tier], Bounds] = {}
    for name, route in routes.items():
        for tier, bounds in _tiers(route):
            if bounds.store != "shared":
                found.setdefault((name, tier), bounds)
    return found


def _tiers(route: Route) -> Iterator[tuple[Tier, Bounds]]:
    """Of its versions."""
    for one in (route, *(candidate.route for candidate in route.candidates)):
        if one.cache is not None:
            yield from one.cache.tiers()
