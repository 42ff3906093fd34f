"""Vectors in Redis and Valkey beside what every store is: an index that is lost, no search."""

import asyncio
from pathlib import Path

import pytest
from tests.contract.vector_stores import MB, Servers, Store, opened
from tests.stores import redis_rig
from tests.stores.redis_rig import Server, run
from tests.stores.redis_search import searching
from tests.stores.vectors_made import vector

from tidegate.core.neighbours import Vectors

X = vector(1)


async def keys(store: Store, vectors: Vectors) -> list[bytes]:
    await store.settled()
    return [it.key for it in await vectors.nearest(b"p", X, 9)]


@pytest.mark.redisearch
def test_an_index_that_the_server_has_lost_is_made_again(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with opened("redis", Servers(redis=server)) as store:
            vectors = store.of("a", MB)
            vectors.put(b"p", b"k", X, "q", 60.0)
            assert await keys(store, vectors) == [b"k"]
            server.say("FLUSHALL")
            assert await keys(store, vectors) == []
            vectors.put(b"p", b"k", X, "q", 60.0)
            async with asyncio.timeout(redis_rig.PATIENCE_S):
                while await keys(store, vectors) != [b"k"]:  # noqa: ASYNC110 - nothing says
                    await asyncio.sleep(0.01)

    with searching(tmp_path) as server:
        run(main(server))


@pytest.mark.redisearch
def test_a_server_that_is_full_keeps_no_more_and_nobody_fails(tmp_path: Path) -> None:
    async def main(server: Server) -> None:
        async with opened("redis", Servers(redis=server)) as store:
            vectors = store.of("a", MB)
            vectors.put(b"p", b"k", X, "q", 60.0)
            assert await keys(store, vectors) == [b"k"]
            server.say("CONFIG", "SET", "maxmemory", "1")
            vectors.put(b"p", b"m", X, "q", 60.0)
            assert await keys(store, vectors) == [b"k"]

    with searching(tmp_path) as server:
        run(main(server))


def test_a_server_without_search_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(server: Server) -> None:
        async with opened("redis", Servers(redis=server)) as store:
            vectors = store.of("a", MB)
            for _ in range(3):
                vectors.put(b"p", b"k", X, "q", 60.0)
                assert await keys(store, vectors) == []

    with redis_rig.serving("valkey", tmp_path) as server:
        run(main(server))
    assert caplog.text.count("has no search") == 1
    assert "could not be kept" not in caplog.text
