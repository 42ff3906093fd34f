"""Each route's vectors are its own, and last as long as the plan keeps some."""

import pytest
from msgspec.structs import replace
from tests.gateway.rig import plan_of, run, target
from tests.stores.vectors_made import vector

from tidegate.core import plugs
from tidegate.core.cache import RouteCache, SemanticCache
from tidegate.core.cache_labels import Labels
from tidegate.core.database_ref import CounterStore, VectorStore
from tidegate.core.neighbours import NOWHERE, Vectors
from tidegate.core.plan import Plan
from tidegate.core.plugs import PlugError
from tidegate.gateway import vector_stores
from tidegate.gateway.vector_stores import VectorStores, reaching
from tidegate.stores.memory_answers import Room
from tidegate.stores.redis_vectors import RedisVectors
from tidegate.stores.remote_vectors import RemoteVectors

A, B = (target(1, name) for name in "ab")
BOUNDS = SemanticCache()


def semantic(plan: Plan, bounds: SemanticCache = BOUNDS) -> Plan:
    cache = RouteCache(semantic=bounds)
    routes = {name: replace(route, cache=cache) for name, route in plan.routes.items()}
    return replace(plan, routes=routes)


def test_each_route_has_its_own_and_they_are_forgotten_with_it() -> None:
    async def main() -> None:
        room = Room(1 << 20)
        stores, plan = VectorStores(room), semantic(plan_of(A, B))
        stores.obey(plan)
        a, b = (stores.of(plan.routes[name], BOUNDS) for name in "ab")
        a.put(b"p", b"k", vector(1), "q", 60.0)
        assert [it.key for it in await a.nearest(b"p", vector(1), 1)] == [b"k"]
        assert await b.nearest(b"p", vector(1), 1) == []
        assert room.size > 0
        stores.obey(semantic(plan, SemanticCache(max_bytes=1)))
        assert await a.nearest(b"p", vector(1), 1) == []
        stores.obey(plan_of(A))
        assert (stores.memory, room.size) == ({}, 0)
        stores.stop()

    run(main())


def test_what_is_not_installed_is_said_once_and_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(kind: str, name: str) -> object:
        raise PlugError(f"{kind}: {name} does not load: No module named 'numpy'")

    async def main() -> None:
        monkeypatch.setattr(plugs, "load", missing)
        stores, plan = VectorStores(Room(1 << 20)), semantic(plan_of(A))
        for _ in range(2):
            nowhere = stores.of(plan.routes["a"], BOUNDS)
            nowhere.put(b"p", b"k", vector(1), "q", 60.0)
            nowhere.drop(b"p", b"k")
            assert await nowhere.nearest(b"p", vector(1), 1) == []
        assert stores.missing is not None

    run(main())
    assert caplog.text.count("tidegate[semantic]") == 1


SHARED = SemanticCache(store="shared")


def test_what_gateways_share_is_where_the_plan_says_or_where_answers_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        stores = VectorStores(Room(1 << 20))
        stores.connect = reaching({"V": "postgresql://h/d"}, "g")
        plan = semantic(plan_of(A), SHARED)
        stores.obey(plan)
        assert stores.shared is None
        assert await stores.of(plan.routes["a"], SHARED).nearest(b"p", vector(1), 1) == []
        stores.obey(replace(plan, counters=CounterStore(url="unix:///nowhere.sock")))
        first = stores.shared
        assert isinstance(first, RedisVectors)
        stores.obey(replace(plan, counters=CounterStore(mode="exact", url="unix:///nowhere.sock")))
        assert stores.shared is first
        stores.obey(replace(plan, vectors=VectorStore(env="V")))
        assert isinstance(stores.shared, RemoteVectors)
        assert await stores.of(plan.routes["a"], SHARED).nearest(b"p", vector(1), 1) == []
        stores.obey(replace(plan, vectors=VectorStore(url="http://127.0.0.1:9")))
        assert isinstance(stores.shared, RemoteVectors)
        stores.obey(replace(plan, vectors=VectorStore(env="MISSING")))
        assert stores.shared is None
        stores.obey(replace(plan_of(A), vectors=VectorStore(env="V")))
        assert stores.shared is None
        stores.stop()

    run(main())
    assert "MISSING is not set" in caplog.text


class Line:
    """A store of vectors whose line is full for some turns."""

    def __init__(self) -> None:
        self.errors = self.damaged = self.full = self.evicted = 0
        self.turns = 3
        self.dropped: list[tuple[str, bytes, bytes]] = []

    @property
    def busy(self) -> bool:
        self.turns -= 1
        return self.turns >= 0

    def of(self, route: str, max_bytes: int) -> Vectors:
        return NOWHERE

    def drop(self, route: str, partition: bytes, key: bytes) -> None:
        assert self.turns < 0
        self.dropped.append((route, partition, key))

    async def run(self) -> None: ...

    def stop(self) -> None: ...


def test_the_question_of_a_shared_answer_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(vector_stores, "_TURN_S", 0.0)
        stores, labels = VectorStores(Room(1 << 20)), Labels(route="a", places=(b"p", b"q"))
        await stores.forget(labels, b"k")
        line = stores.shared = Line()
        await stores.forget(labels, b"k")
        await stores.forget(Labels(route="a"), b"other")
        assert line.dropped == [("a", b"p", b"k"), ("a", b"q", b"k")]

    run(main())
