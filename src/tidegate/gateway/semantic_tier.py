"""What the semantic tiers of one gateway process share: its encoders, and the vectors of routes."""

from asyncio import Future
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from tidegate.core.cache import SemanticCache
from tidegate.core.encoding import Vector, open_encoder
from tidegate.core.kept_answer import Answers, KeptAnswer
from tidegate.core.neighbours import Vectors
from tidegate.core.plan import Plan, Route
from tidegate.gateway.caching import Near
from tidegate.gateway.encodings import Encodings, Load

# Where a route's vectors of so many dimensions are; the encoder's name sets them apart.
Open = Callable[[str, SemanticCache, str, int], Vectors]


class SemanticTier:
    """`lookups` counts by route and what came of it, `kept` questions that were kept. `load` makes
    an encoder, `open` a place for vectors."""

    def __init__(self) -> None:
        self.load: Load = open_encoder
        self.open: Open = _open
        self.lookups: Counter[tuple[str, str]] = Counter()
        self.encodings: dict[str, Encodings] = {}
        self._vectors: dict[tuple[str, str], Vectors] = {}
        self._wanted: dict[str, SemanticCache] = {}

    def obey(self, plan: Plan) -> None:
        """The plan of now: its encoders are there, and no others. What was not to be had is tried
        again."""
        self._wanted = {
            name: found
            for name, route in plan.routes.items()
            if (found := _semantic_of(route)) is not None
        }
        wanted = {it for route in plan.routes.values() for it in _encoders_of(route)}
        for name, encodings in list(self.encodings.items()):
            if name not in wanted or encodings.off() == "unavailable":
                encodings.stop()
                del self.encodings[name]
        for name in wanted - self.encodings.keys():
            self.encodings[name] = Encodings(name, self.load)
        self._vectors = {
            place: it
            for place, it in self._vectors.items()
            if place[0] in self._wanted and place[1] in wanted
        }

    def encoding(self, name: str) -> Encodings | None:
        """None where it cannot be asked now."""
        found = self.encodings.get(name)
        return None if found is None or found.off() is not None else found

    def vectors(self, route: str, semantic: SemanticCache, encoding: Encodings) -> Vectors:
        found = self._vectors.get((route, encoding.name))
        if found is None:
            assert encoding.encoder is not None  # noqa: S101 - see `encoding`
            dimensions = encoding.encoder.dimensions
            found = self.open(route, semantic, encoding.name, dimensions)
            self._vectors[route, encoding.name] = found
        return found

    def off(self) -> Iterator[tuple[str, str]]:
        """The routes whose tier gives nothing now, and why."""
        for route, semantic in self._wanted.items():
            encodings = self.encodings.get(semantic.encoder)
            why = None if encodings is None else encodings.off()
            if why is not None:
                yield route, why

    def keep(self, route: Route, near: Near, answers: Answers, kept: KeptAnswer) -> bool:
        """The answer, and its question as soon as it has a vector. False where it cannot have
        one."""
        encoding = self.encoding(near.semantic.encoder)
        if encoding is None:
            return False
        coming = near.coming
        if near.vector is None and (coming is None or coming.cancelled()):
            coming = encoding.ask(near.question, None)
            if coming is None:
                return False
        answers.put(near.key, kept, near.ttl_s)
        vectors = self.vectors(route.name, near.semantic, encoding)
        if near.vector is not None or coming is None:
            _put(vectors, near, near.vector)
        else:
            coming.add_done_callback(partial(_put_late, vectors, near))
        return True

    def stop(self) -> None:
        for encodings in self.encodings.values():
            encodings.stop()


def _open(route: str, semantic: SemanticCache, encoder: str, dimensions: int) -> Vectors:
    raise NotImplementedError


def _put_late(vectors: Vectors, near: Near, coming: "Future[Vector | None]") -> None:
    if not coming.cancelled() and coming.exception() is None:
        _put(vectors, near, coming.result())


def _put(vectors: Vectors, near: Near, vector: Vector | None) -> None:
    if vector is not None:
        vectors.put(near.partition, near.key, vector, near.question, near.ttl_s)


def _semantic_of(route: Route) -> SemanticCache | None:
    return None if route.cache is None else route.cache.semantic


def _encoders_of(route: Route) -> Iterator[str]:
    """Those of its versions."""
    for one in (route, *(candidate.route for candidate in route.candidates)):
        semantic = _semantic_of(one)
        if semantic is not None:
            yield semantic.encoder
            if semantic.prefilter is not None:
                yield semantic.prefilter
