"""The vectors of kept questions that one gateway process can search, by route.

What searches them is loaded when a route first needs it. Where that is not installed the routes'
tier finds nothing, and the log says once what to do.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from tidegate.core import plugs
from tidegate.core.cache import SemanticCache
from tidegate.core.neighbours import NOWHERE, Vectors
from tidegate.core.plan import Plan, Route
from tidegate.core.plugs import PlugError
from tidegate.stores.memory_answers import Room
from tidegate.stores.memory_vectors import MemoryVectors, Rows
from tidegate.stores.vector_thread import VectorThread

log = logging.getLogger(__name__)

_INSTALL: Final = "pip install 'tidegate[semantic]'"


class VectorStores:
    """`room` is what all that this process keeps may take. `missing` says why there is nothing to
    search with, None while there is."""

    def __init__(self, room: Room) -> None:
        self.memory: dict[str, MemoryVectors] = {}
        self.missing: str | None = None
        self._room = room
        self._aside = VectorThread()
        self._make: Callable[[], Rows] | None = None

    def of(self, route: Route, bounds: SemanticCache) -> Vectors:
        """Where those of this route are."""
        held = self.memory.get(route.name)
        if held is None:
            make = self.loaded()
            if make is None:
                return NOWHERE
            held = MemoryVectors(make, self._aside, bounds.max_bytes, self._room)
            self.memory[route.name] = held
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

    def stop(self) -> None:
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


def _keeping(routes: Mapping[str, Route]) -> dict[str, SemanticCache]:
    """What routes, or their releases under way, keep."""
    found: dict[str, SemanticCache] = {}
    for name, route in routes.items():
        for one in (route, *(candidate.route for candidate in route.candidates)):
            if one.cache is not None and one.cache.semantic is not None:
                found.setdefault(name, one.cache.semantic)
    return found
