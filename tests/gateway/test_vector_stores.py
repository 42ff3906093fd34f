"""Each route's vectors are its own, and last as long as the plan keeps some."""

import pytest
from msgspec.structs import replace
from tests.gateway.rig import plan_of, run, target
from tests.stores.vectors_made import vector

from tidegate.core import plugs
from tidegate.core.cache import RouteCache, SemanticCache
from tidegate.core.plan import Plan
from tidegate.core.plugs import PlugError
from tidegate.gateway.vector_stores import VectorStores
from tidegate.stores.memory_answers import Room

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
