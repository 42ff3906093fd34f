"""The kept answers of one gateway process, by route, and what they have come to."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tidegate.core.cache import ExactCache
from tidegate.core.database_ref import CountersRef, CounterStore, resolve
from tidegate.core.kept_answer import Answers, Found
from tidegate.core.plan import Plan, Route
from tidegate.gateway.flights import Flights
from tidegate.stores.memory_answers import MemoryAnswers, Room
from tidegate.stores.redis_address import parse
from tidegate.stores.redis_answers import RedisAnswers

log = logging.getLogger(__name__)

# What all routes of a process may keep together.
MOST_BYTES: Final = 512 * 1024 * 1024
Connect = Callable[[CounterStore], RedisAnswers]


def connecting(environ: Mapping[str, str], name: str) -> Connect:
    """What reaches the shared store of a plan, as this gateway. ValueError and OSError where its
    address is not to be had."""

    def connect(named: CounterStore) -> RedisAnswers:
        ref = CountersRef(named.env, named.file, named.url)
        url = resolve(ref, environ, lambda file: Path(file).read_text("utf-8"))
        return RedisAnswers(parse(url.reveal()), name)

    return connect


class AnswerCache:
    """`lookups` counts by route and outcome, `unkept` answers that were not kept, by route and why.
    `served` is the model that each target said it used last. `tasks` ask anew for what is stale.
    `connect` reaches the store that gateways share, `shared` is it while a route keeps answers
    there."""

    def __init__(self) -> None:
        self.flights = Flights()
        self.memory: dict[str, MemoryAnswers] = {}
        self._room = Room(MOST_BYTES)
        self.lookups: Counter[tuple[str, str]] = Counter()
        self.unkept: Counter[tuple[str, str]] = Counter()
        self.kept: Counter[str] = Counter()
        self.served: dict[str, str] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.stopped = False
        self.connect: Connect | None = None
        self.shared: RedisAnswers | None = None
        self._nowhere = MemoryAnswers(0)
        self._named: CounterStore | None = None
        self._keeping: asyncio.Task[None] | None = None

    def of(self, route: Route, exact: ExactCache) -> Answers:
        """Where this route's are. A route that a plan has just begun to keep has none yet."""
        if exact.store == "shared":
            if self.shared is None:
                return self._nowhere
            return self.shared.of(route.name, exact.max_bytes)
        held = self.memory.get(route.name)
        if held is None:
            held = self.memory[route.name] = MemoryAnswers(exact.max_bytes, self._room)
        return held

    def obey(self, plan: Plan) -> None:
        """The plan of now: its bounds hold, and what its routes do not keep is forgotten."""
        keeping = _keeping(plan.routes)
        for name, held in list(self.memory.items()):
            if name in keeping:
                held.bound(keeping[name].max_bytes)
            else:
                held.clear()
                del self.memory[name]
        self._reach(plan)
        targets = plan.targets
        self.served = {name: it for name, it in self.served.items() if name in targets}

    def is_current(self, found: Found) -> bool:
        """Whether its target has not been heard to use another model since."""
        answer = found.answer
        return self.served.get(answer.target, answer.model_served) == answer.model_served

    def _reach(self, plan: Plan) -> None:
        """Keeps a connection to the shared store while a route of the plan keeps answers there."""
        shares = any(_is_shared(route) for route in plan.routes.values())
        named = plan.counters if shares else None
        if named == self._named:
            return
        if self._keeping is not None:
            self._keeping.cancel()
        self._named, self.shared, self._keeping = named, None, None
        if named is None or self.connect is None:
            return
        try:
            self.shared = self.connect(named)
        except (ValueError, OSError) as error:
            log.error("the store of kept answers is not to be had, nothing is kept: %s", error)
            return
        self._keeping = asyncio.get_running_loop().create_task(self.shared.run())

    async def stop(self) -> None:
        """Ends what asks anew; each leaves its receipt."""
        self.stopped = True
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def _keeping(routes: Mapping[str, Route]) -> dict[str, ExactCache]:
    """The routes that keep answers in memory, or whose releases under way do."""
    found: dict[str, ExactCache] = {}
    for name, route in routes.items():
        for exact in filter(None, map(_exact_of, _versions(route))):
            if exact.store == "memory":
                found.setdefault(name, exact)
    return found


def _is_shared(route: Route) -> bool:
    every = map(_exact_of, _versions(route))
    return any(exact is not None and exact.store == "shared" for exact in every)


def _versions(route: Route) -> tuple[Route, ...]:
    return (route, *(one.route for one in route.candidates))


def _exact_of(route: Route) -> ExactCache | None:
    return None if route.cache is None else route.cache.exact
