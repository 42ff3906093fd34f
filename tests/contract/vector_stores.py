"""Every store of vectors that there is, opened for a test, and what each is alike in."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import pytest
from msgspec import Struct
from qdrant_client import QdrantClient
from tests.postgres import Server as Postgres
from tests.stores import redis_rig
from tests.stores.redis_rig import PATIENT_S
from tests.stores.redis_rig import Server as Redis

from tidegate.core.neighbours import Vectors
from tidegate.core.secret import Secret
from tidegate.stores import hnsw_vectors, memory_vectors
from tidegate.stores.hnsw_vectors import IndexedRows
from tidegate.stores.memory_vectors import MemoryVectors
from tidegate.stores.pgvector_vectors import PgVectors
from tidegate.stores.qdrant_vectors import QdrantVectors
from tidegate.stores.redis_vectors import RedisVectors
from tidegate.stores.redis_wire import encode
from tidegate.stores.remote_vectors import RemoteVectors
from tidegate.stores.vector_thread import VectorThread

MB = 1 << 20
SHARED = (
    pytest.param("redis", marks=pytest.mark.redisearch),
    pytest.param("pgvector", marks=pytest.mark.pgvector),
    "qdrant",
)
KINDS = ("inline", "aside", "graph", *SHARED)


class Shared(Protocol):
    """What gateways share."""

    errors: int
    damaged: int

    def of(self, route: str, max_bytes: int) -> Vectors: ...

    def drop(self, route: str, partition: bytes, key: bytes) -> None: ...


class Store(Struct):
    """One gateway's. `settled` waits until what was put can be found."""

    of: Callable[[str, int], Vectors]
    settled: Callable[[], Awaitable[object]]
    shared: Shared | None = None


class Servers(Struct):
    """What shared stores are in."""

    redis: Redis | None = None
    postgres: Postgres | None = None
    database: Secret | None = None
    qdrant: QdrantClient | None = None


@contextlib.asynccontextmanager
async def opened(kind: str, servers: Servers) -> AsyncIterator[Store]:
    """One more gateway's."""
    if kind == "redis":
        assert servers.redis is not None
        async with _redis(servers.redis) as store:
            yield store
    elif kind in ("pgvector", "qdrant"):
        async with _remote(kind, servers) as store:
            yield store
    else:
        thread = VectorThread()
        held: dict[str, MemoryVectors] = {}

        def of(route: str, max_bytes: int) -> Vectors:
            if route not in held:
                held[route] = MemoryVectors(IndexedRows, thread, max_bytes, None, PATIENT_S)
            return held[route]

        async def tidied() -> None:
            await thread.ask(lambda: None, patience_s=PATIENT_S)

        yield Store(of, tidied)
        thread.stop()


@contextlib.asynccontextmanager
async def _redis(server: Redis) -> AsyncIterator[Store]:
    store = RedisVectors(server.address, "g", deadline_s=PATIENT_S)
    task = asyncio.ensure_future(store.run())
    try:
        async with asyncio.timeout(redis_rig.PATIENCE_S):
            while not store.open:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.005)
        yield Store(store.of, lambda: store.ask(encode("PING")), store)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def _remote(kind: str, servers: Servers) -> AsyncIterator[Store]:
    if kind == "pgvector":
        assert servers.database is not None
        store = RemoteVectors(PgVectors(servers.database), "PostgreSQL", PATIENT_S)
    else:
        client = servers.qdrant
        assert client is not None
        store = RemoteVectors(QdrantVectors(lambda: client), "Qdrant", PATIENT_S)
        store.backend.close = lambda: None  # type: ignore[method-assign]

    async def settled() -> None:
        await store.writing.ask(lambda: None, patience_s=PATIENT_S)

    try:
        yield Store(store.of, settled, store)
    finally:
        store.stop()


def small(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What is for many begins with few."""
    monkeypatch.setattr(memory_vectors, "_INLINE_ROWS", 10_000 if kind == "inline" else 1)
    monkeypatch.setattr(hnsw_vectors, "_SCANNED_ROWS", 2 if kind == "graph" else 10_000)
