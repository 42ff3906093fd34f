"""A gateway whose route gives answers to other wordings, with an encoder of words and an index that
may be told to lie."""

import asyncio
import contextlib
import math
import re
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from tests.gateway.cached import House, either
from tests.gateway.rig import gateway, plan_of, target
from tests.gateway.upstream import Upstream

from tidegate.core.cache import ExactCache, RouteCache, SemanticCache
from tidegate.core.encoding import EncoderUnavailable, Vector
from tidegate.core.neighbours import Neighbour
from tidegate.core.plan import Plan

DIMENSIONS = 256


class Words:
    """The more words two texts share, the nearer they are."""

    name = "minilm"
    version = "words-1"
    dimensions = DIMENSIONS

    def __init__(self, *, fast: bool = True) -> None:
        self.fast = fast
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> list[Vector | None]:
        self.asked += texts
        return [vector_of(text) for text in texts]


def vector_of(text: str) -> Vector:
    values = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        values[zlib.crc32(word.encode()) % DIMENSIONS] += 1.0
    length = math.hypot(*values) or 1.0
    return struct.pack(f"<{DIMENSIONS}f", *(value / length for value in values))


class Index:
    """core.neighbours.Vectors. `lies`: it gives what is of others as well."""

    def __init__(self, *, lies: bool = False) -> None:
        self.lies = lies
        self.held: dict[tuple[bytes, bytes], tuple[Vector, str]] = {}

    async def nearest(self, partition: bytes, vector: Vector, most: int) -> list[Neighbour]:
        own = struct.unpack(f"<{DIMENSIONS}f", vector)
        found = []
        for (of, key), (other, question) in self.held.items():
            if of == partition or self.lies:
                values = struct.unpack(f"<{DIMENSIONS}f", other)
                score = math.fsum(a * b for a, b in zip(own, values, strict=True))
                found.append(Neighbour(key, score, question))
        return sorted(found, key=lambda it: -it.score)[:most]

    def put(
        self, partition: bytes, key: bytes, vector: Vector, question: str, keep_s: float
    ) -> None:
        del keep_s
        self.held[partition, key] = vector, question

    def drop(self, partition: bytes, key: bytes) -> None:
        self.held.pop((partition, key), None)


class Indices:
    """The same index for each route."""

    missing: str | None = None
    answers = True

    def __init__(self, index: Index) -> None:
        self.index = index

    def loaded(self) -> None:
        return None

    def of(self, *_: Any) -> Index:
        return self.index

    def works(self, _: Any) -> bool:
        return self.answers


def near(exact: ExactCache | None = None, **semantic: Any) -> RouteCache:
    told = {"mode": "on", "threshold": 0.8, **semantic}
    return RouteCache(exact, SemanticCache(**told))


def giving(plan: Plan, cache: RouteCache) -> Plan:
    return replace(plan, routes={n: replace(it, cache=cache) for n, it in plan.routes.items()})


class Nearby(House):
    """With the `encoder` and the `index` of its route."""

    encoder: Any
    index: Index

    async def ready(self) -> None:
        """Until each encoder has been loaded, or cannot be."""
        tier = self.it.world.cache.semantic
        while any(it.off() == "loading" for it in tier.encodings.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def lookups(self) -> dict[str, int]:
        found = self.it.world.cache.semantic.lookups
        return {why: count for (_, why), count in found.items()}


def opened(name: str, encoders: dict[str, Any]) -> Any:
    if encoders.get(name) is None:
        raise EncoderUnavailable(f"there is no {name}")
    return encoders[name]


@contextlib.asynccontextmanager
async def nearby(
    folder: Path,
    cache: RouteCache,
    script: Any = either,
    *,
    encoder: Any = None,
    index: Index | None = None,
    **more: Any,
) -> AsyncIterator[Nearby]:
    """`prefilter` is another encoder; the rest is the plan's."""
    encoder, index = encoder or Words(), index or Index()
    prefilter = more.pop("prefilter", None)
    async with Upstream(script) as up, gateway(folder, target(up.port)) as it:
        tier = it.world.cache.semantic
        tier.load = lambda name: opened(name, {"minilm": encoder, "static": prefilter})
        tier.vectors = Indices(index)
        plan = plan_of(target(up.port), version=2, **more)
        made = Nearby(it, up, giving(plan, cache))
        made.encoder, made.index = encoder, index
        assert await it.obey(made.plan)
        await made.ready()
        try:
            yield made
        finally:
            await it.world.cache.stop()
