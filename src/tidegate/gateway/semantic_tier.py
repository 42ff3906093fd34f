"""What the semantic tiers of one gateway process share: its encoders, and the vectors of routes."""

from asyncio import Future
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from tidegate.core.cache import SemanticCache
from tidegate.core.encoding import Encoder, Vector, open_encoder
from tidegate.core.kept_answer import Answers, KeptAnswer
from tidegate.core.learnt import made_with
from tidegate.core.neighbours import Vectors
from tidegate.core.plan import Plan, Route
from tidegate.gateway.caching import Near
from tidegate.gateway.encodings import Encodings, Load
from tidegate.text.veto import VERSION


class Stores(Protocol):
    """`missing` says why there is nothing to search with, None while there is."""

    missing: str | None

    def loaded(self) -> object: ...

    def of(self, route: Route, bounds: SemanticCache) -> Vectors: ...

    def works(self, bounds: SemanticCache) -> bool: ...


class SemanticTier:
    """`lookups` counts by route and what came of it. `load` makes an encoder, `vectors` are where
    those of questions are."""

    def __init__(self, vectors: Stores) -> None:
        self.load: Load = self._load
        self.vectors = vectors
        self.lookups: Counter[tuple[str, str]] = Counter()
        self.encodings: dict[str, Encodings] = {}
        self._wanted: dict[str, SemanticCache] = {}

    def obey(self, plan: Plan) -> None:
        """The plan of now: its encoders are there, and no others. What was not to be had is tried
        again."""
        self._wanted = {
            name: route.cache.semantic
            for name, route in plan.routes.items()
            if route.cache is not None and route.cache.semantic is not None
        }
        wanted = {it for route in plan.routes.values() for it in _encoders_of(route)}
        for name, encodings in list(self.encodings.items()):
            if name not in wanted or encodings.off() == "unavailable":
                encodings.stop()
                del self.encodings[name]
        for name in wanted - self.encodings.keys():
            self.encodings[name] = Encodings(name, self.load)

    def encoding(self, name: str) -> Encodings | None:
        """None where it cannot be asked now, or nothing could be done with what it says."""
        found = self.encodings.get(name)
        if found is None or found.off() is not None or self.vectors.missing is not None:
            return None
        return found

    def off(self) -> Iterator[tuple[str, str]]:
        """The routes whose tier gives nothing now, and why."""
        for route, semantic in self._wanted.items():
            encodings = self.encodings.get(semantic.encoder)
            why: str | None = None if encodings is None else encodings.off()
            if why is None and self.vectors.missing is not None:
                why = "unavailable"
            if why is None and not self.vectors.works(semantic):
                why = "away"
            if why is None and encodings is not None and is_outdated(semantic, encodings.encoder):
                why = "outdated"
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
        if near.semantic.store == "shared":
            places = (
                (near.partition,) if near.first is None else (near.partition, near.first.partition)
            )
            kept = replace(kept, labels=replace(kept.labels, places=places))
        answers.put(near.key, kept, near.ttl_s)
        vectors = self.vectors.of(route, near.semantic)
        if near.first is not None:
            first = near.first
            vectors.put(first.partition, near.key, first.vector, near.question, near.ttl_s)
        if near.vector is not None or coming is None:
            _put(vectors, near, near.vector)
        else:
            coming.add_done_callback(partial(_put_late, vectors, near))
        return True

    def _load(self, name: str) -> Encoder:
        """In the encoder's thread, as it takes long; so does what searches."""
        self.vectors.loaded()
        return open_encoder(name)

    def stop(self) -> None:
        for encodings in self.encodings.values():
            encodings.stop()


def is_outdated(semantic: SemanticCache, encoder: Encoder | None) -> bool:
    """Whether what was learnt was so with another encoder or veto than there is here."""
    if semantic.learnt_with is None or encoder is None:
        return False
    return semantic.learnt_with != made_with(encoder.version, VERSION)


def _put_late(vectors: Vectors, near: Near, coming: "Future[Vector | None]") -> None:
    if not coming.cancelled() and coming.exception() is None:
        _put(vectors, near, coming.result())


def _put(vectors: Vectors, near: Near, vector: Vector | None) -> None:
    if vector is not None:
        vectors.put(near.partition, near.key, vector, near.question, near.ttl_s)


def _encoders_of(route: Route) -> Iterator[str]:
    """Those of its versions."""
    for one in (route, *(candidate.route for candidate in route.candidates)):
        semantic = None if one.cache is None else one.cache.semantic
        if semantic is not None:
            yield semantic.encoder
            if semantic.prefilter is not None:
                yield semantic.prefilter
