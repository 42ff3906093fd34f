"""What every store of vectors is: the same as a dict that is searched whole, one partition alone,
and nothing where it is full, damaged or away."""

import asyncio
import contextlib
import random
import signal
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from qdrant_client import QdrantClient
from tests.contract.vector_stores import KINDS, MB, SHARED, Servers, Store, opened, small
from tests.postgres import pgvector_programs, serving
from tests.stores.redis_rig import run
from tests.stores.redis_search import searching
from tests.stores.vectors_made import cosine, vector

from tidegate.core.neighbours import Neighbour, Vectors
from tidegate.stores import remote_vectors

# The client's local mode says so of what only a server needs.
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
X, Y = vector(1), vector(0, 1)
Kept = dict[tuple[str, bytes], dict[bytes, tuple[bytes, str]]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Servers that are started when first asked for."""
    with contextlib.ExitStack() as stack:
        held: dict[str, Any] = {"stack": stack, "folder": tmp_path_factory.mktemp("v")}
        yield held


@pytest.fixture
def servers(
    request: pytest.FixtureRequest, running: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Servers]:
    kind, stack = request.node.callspec.params["kind"], running["stack"]
    small(monkeypatch, kind)
    if kind == "redis":
        if kind not in running:
            running[kind] = stack.enter_context(searching(running["folder"]))
        running[kind].say("FLUSHALL")
        yield Servers(redis=running[kind])
    elif kind == "pgvector":
        if kind not in running:
            running[kind] = stack.enter_context(serving(found=pgvector_programs()))
        database = running[kind].database("template1")  # it knows no ICU
        yield Servers(postgres=running[kind], database=database)
        running[kind].drop(database)
    elif kind == "qdrant":
        client = QdrantClient(":memory:")
        yield Servers(qdrant=client)
        client.close()
    else:
        yield Servers()


async def found(store: Store, vectors: Vectors, asked: bytes, of: bytes = b"p") -> list[Neighbour]:
    await store.settled()
    return await vectors.nearest(of, asked, 20)


async def keys(store: Store, vectors: Vectors, asked: bytes = X, of: bytes = b"p") -> list[bytes]:
    return [it.key for it in await found(store, vectors, asked, of)]


def same(
    told: list[Neighbour], kept: dict[bytes, tuple[bytes, str]], asked: bytes, most: int
) -> None:
    scores = sorted((cosine(asked, it) for it, _ in kept.values()), reverse=True)[:most]
    assert [it.score for it in told] == pytest.approx(scores, abs=1e-5)
    assert len({it.key for it in told}) == len(told)
    for it in told:
        mine, question = kept[it.key]
        assert (question, cosine(asked, mine)) == (it.question, pytest.approx(it.score, abs=1e-5))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_it_finds_what_a_dict_would_and_never_beyond_the_partition(
    kind: str, seed: int, servers: Servers
) -> None:
    draw = random.Random(seed)
    directions = [vector(*(draw.uniform(-1, 1) for _ in range(4))) for _ in range(12)]
    kept: Kept = {}

    async def main() -> None:
        async with opened(kind, servers) as store:
            for step in range(250):
                route, partition = draw.choice("ab"), draw.choice([b"p", b"q", b"\x00\xff"])
                vectors = store.of(route, MB)
                mine = kept.setdefault((route, partition), {})
                key, it = b"%d" % draw.randrange(9), draw.choice(directions)
                what = draw.random()
                if what < 0.5:
                    vectors.put(partition, key, it, f"{route} {step}", 60.0)
                    mine[key] = it, f"{route} {step}"
                elif what < 0.65:
                    vectors.drop(partition, key)
                    mine.pop(key, None)
                else:
                    await store.settled()
                    most = draw.randint(1, 6)
                    same(await vectors.nearest(partition, it, most), mine, it, most)

    run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_expired_is_not_found(kind: str, servers: Servers) -> None:
    async def main() -> None:
        async with opened(kind, servers) as store:
            vectors = store.of("a", MB)
            vectors.put(b"p", b"soon", X, "q", 0.3)
            vectors.put(b"p", b"late", Y, "q", 60.0)
            vectors.put(b"p", b"never", X, "q", 0.0)
            vectors.put(b"p", b"again", X, "q", 0.3)
            vectors.put(b"p", b"again", X, "q", 60.0)
            await store.settled()
            await asyncio.sleep(0.35)
            assert await keys(store, vectors) == [b"again", b"late"]

    run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_keeps_is_bounded(
    kind: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_vectors, "_SWEEP_PUTS", 4)

    async def main() -> None:
        async with opened(kind, servers) as store:
            vectors = store.of("a", 8 * 1300)
            for number in range(32):
                vectors.put(b"p", b"%d" % number, X, "q", 60.0 + number)
            left = await keys(store, vectors)
            assert 4 <= len(left) <= 12
            assert b"31" in left
            assert b"0" not in left
            vectors.put(b"p", b"long", X, "q" * 20_000, 60.0)
            assert b"long" not in await keys(store, vectors)

    run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_any_text_comes_back_and_what_is_no_vector_is_not_kept(kind: str, servers: Servers) -> None:
    text = "a\x00b\r\n{}|$ 'é漢\ud800"

    async def main() -> None:
        async with opened(kind, servers) as store:
            vectors = store.of("it's {a}:*", MB)
            vectors.put(b"p", b"\x00\xff", X, text, 60.0)
            assert await found(store, vectors, X) == [
                Neighbour(b"\x00\xff", pytest.approx(1.0, abs=1e-5), text)
            ]
            for bad in (b"", b"abc"):
                vectors.put(b"p", b"bad", bad, "q", 60.0)
                assert await vectors.nearest(b"p", bad, 5) == []
            assert await vectors.nearest(b"p", X, 0) == []
            assert await keys(store, vectors) == [b"\x00\xff"]

    run(main())


@pytest.mark.parametrize("kind", SHARED)
def test_gateways_that_come_at_once_find_what_each_keeps(kind: str, servers: Servers) -> None:
    async def main() -> None:
        async with contextlib.AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(opened(kind, servers)) for _ in range(3)]
            for number, store in enumerate(stores):
                store.of("a", MB).put(b"p", b"%d" % number, X, "q", 60.0)
            for store in stores:
                await store.settled()
            for store in stores:
                assert sorted(await keys(store, store.of("a", MB))) == [b"0", b"1", b"2"]
            stores[2].of("a", MB).drop(b"p", b"0")
            await stores[2].settled()
            assert sorted(await keys(stores[0], stores[0].of("a", MB))) == [b"1", b"2"]

    run(main())


def _lose(servers: Servers) -> None:
    """All that was made there."""
    if servers.redis is not None:
        servers.redis.say("FLUSHALL")
    elif servers.database is not None:
        with psycopg.connect(servers.database.reveal(), autocommit=True) as link:
            link.execute("DROP TABLE answer_vectors_4")
    else:
        assert servers.qdrant is not None
        servers.qdrant.delete_collection("tidegate_answer_vectors_4")


@pytest.mark.parametrize("kind", SHARED)
def test_what_a_store_has_lost_is_made_again(
    kind: str, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_vectors, "_RETRY_MAX_S", 0.0)

    async def main() -> None:
        async with opened(kind, servers) as store:
            vectors = store.of("a", MB)
            vectors.put(b"p", b"k", X, "q", 60.0)
            assert await keys(store, vectors) == [b"k"]
            _lose(servers)
            assert await keys(store, vectors) == []
            async with asyncio.timeout(20.0):
                while await keys(store, vectors) != [b"k"]:
                    vectors.put(b"p", b"k", X, "q", 60.0)
            assert store.shared is not None
            store.shared.drop("a", b"p", b"k")
            assert await keys(store, vectors) == []

    run(main())


def _damage(servers: Servers) -> None:
    """Another question stands where `bad` was."""
    if servers.redis is not None:
        entry = "{tidegate:vectors:1:a}:16:of:" + b"p".hex() + ":" + b"bad".hex()
        assert servers.redis.say("HSET", entry, "q", "other") == b":0\r\n"
    elif servers.database is not None:
        with psycopg.connect(servers.database.reveal(), autocommit=True) as link:
            done = link.execute(
                sql.SQL("UPDATE answer_vectors_4 SET question = 'other' WHERE key = 'bad'")
            )
            assert done.rowcount == 1
    else:
        client = servers.qdrant
        assert client is not None
        name = "tidegate_answer_vectors_4"
        points, _ = client.scroll(name)
        bad = [it.id for it in points if (it.payload or {})["key"] == b"bad".hex()]
        client.set_payload(name, {"question": "b3RoZXI="}, points=bad)


@pytest.mark.parametrize("kind", SHARED)
def test_what_is_damaged_is_not_found(kind: str, servers: Servers) -> None:
    async def main() -> None:
        async with opened(kind, servers) as store:
            vectors = store.of("a", MB)
            for name in (b"bad", b"good"):
                vectors.put(b"p", name, X, "q", 60.0)
            assert len(await keys(store, vectors)) == 2
            _damage(servers)
            assert await keys(store, vectors) == [b"good"]
            assert store.shared is not None
            assert store.shared.damaged == 1

    run(main())


@pytest.mark.parametrize("kind", SHARED[:2])
def test_a_store_that_stands_still_costs_its_deadline_and_comes_back(
    kind: str, servers: Servers
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened(kind, servers) as store:
            vectors = store.of("a", MB)
            vectors.put(b"p", b"k", X, "q", 60.0)
            assert await keys(store, vectors) == [b"k"]
            with _hurried(store), _stopped(servers):
                since_s = loop.time()
                for _ in range(3):
                    assert await vectors.nearest(b"p", X, 1) == []
                    vectors.put(b"p", b"m", X, "q", 60.0)
                assert loop.time() - since_s < 1.0
            async with asyncio.timeout(20.0):
                while await vectors.nearest(b"p", X, 1) == []:  # noqa: ASYNC110 - nothing says
                    await asyncio.sleep(0.02)
            assert store.shared is not None

    run(main())


@contextlib.contextmanager
def _hurried(store: Store) -> Iterator[None]:
    shared: Any = store.shared
    if isinstance(shared, remote_vectors.RemoteVectors):
        shared.patience_s = 0.02
        yield
        shared.patience_s = 5.0
    else:
        shared.link._deadlines.__init__(0.02, shared.link._late)
        yield


@contextlib.contextmanager
def _stopped(servers: Servers) -> Iterator[None]:
    if servers.postgres is not None:
        with servers.postgres.frozen():
            yield
    else:
        assert servers.redis is not None
        servers.redis.signal(signal.SIGSTOP)
        yield
        servers.redis.signal(signal.SIGCONT)
