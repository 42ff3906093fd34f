"""What applications keep themselves is given as it was put, to those whose it is."""

import asyncio
import random
import signal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.gateway.rig import Gateway, gateway, plan_of, run, target, until
from tests.gateway.upstream import Upstream, whole
from tests.stores import redis_rig

from tidegate.core.cache import ChunksCache, RouteCache
from tidegate.core.cache_labels import Selector
from tidegate.core.database_ref import CounterStore
from tidegate.core.plan import Plan
from tidegate.gateway.answer_cache import CHUNKS_BURST, connecting

GET, PUT, DELETE = (f"/v1/cache/chunks/{verb}" for verb in ("get", "put", "delete"))
VALUES = st.recursive(st.none() | st.booleans() | st.text(), st.lists)


def keeping(**tier: Any) -> Plan:
    plan = plan_of(target(1), target(1, "bare"), version=2)
    cache = RouteCache(chunks=ChunksCache(**tier), tags=("house",))
    return replace(
        plan, routes={**plan.routes, "small": replace(plan.routes["small"], cache=cache)}
    )


class House:
    """A gateway whose route keeps chunks."""

    def __init__(self, it: Gateway) -> None:
        self.it = it

    async def say(self, path: str, key: str = "", **said: Any) -> Any:
        headers = {"authorization": f"Bearer {key or self.it.key}"}
        body = msgspec.json.encode({"route": "small", **said})
        return await self.it.ask(path, body, headers)

    async def put(self, name: str, value: Any, key: str = "", **more: Any) -> Any:
        top = {name: more.pop(name) for name in ("namespace", "as_of") if name in more}
        reply = await self.say(PUT, key, entries=[{"key": name, "value": value, **more}], **top)
        assert reply.status == 200, reply.raw
        [row] = reply.json["data"]
        return row.get("reason") or row["kept"]

    async def get(self, name: str, key: str = "", **said: Any) -> Any:
        reply = await self.say(GET, key, keys=[name], **said)
        assert reply.status == 200, reply.raw
        [row] = reply.json["data"]
        return row["value"] if row["found"] else "none"


def in_house(folder: Path, main: Any, **tier: Any) -> None:
    async def begun() -> None:
        async with gateway(folder, target(1)) as it:
            assert await it.obey(keeping(**tier))
            await main(House(it))

    run(begun())


@pytest.mark.parametrize("store", ["memory", "disk"])
def test_values_are_given_as_they_were_put(tmp_path: Path, store: str) -> None:
    async def main(it: House) -> None:
        value = b'{ "b":1.50,"a" : [ null, "\\u00e9", {"a":1,"a":2}] }'
        body = b'{"route":"small","entries":[{"key":"k","value":%b}]}' % value
        reply = await it.it.ask(PUT, body, {"authorization": f"Bearer {it.it.key}"})
        assert reply.json == {"object": "list", "data": [{"key": "k", "kept": True}]}
        reply = await it.say(GET, keys=["other", "k"])
        assert value in reply.body
        other, mine = reply.json["data"]
        assert other == {"key": "other", "found": False}
        assert (mine["key"], mine["found"]) == ("k", True)
        assert 0 <= mine["age_s"] < 60
        assert 3540 < mine["expires_in_s"] <= 3600
        assert it.it.receipts() == []
        lookups = it.it.world.cache.lookups
        assert lookups == {("small", "chunks", "miss"): 1, ("small", "chunks", "hit"): 1}
        reply = await it.say(DELETE, keys=["k", "other"])
        rows = reply.json["data"]
        assert rows == [{"key": "k", "deleted": True}, {"key": "other", "deleted": False}]
        assert await it.get("k") == "none"

    in_house(tmp_path, main, store=store)


@pytest.mark.parametrize(
    ("scope", "shared_by"),
    [("tenant", {0, 1}), ("key", {0}), ("route", {0, 1, 2, 3, 4})],
)
def test_who_shares_is_as_the_route_says(tmp_path: Path, scope: Any, shared_by: set[int]) -> None:
    async def main(it: House) -> None:
        people = [("red", "a"), ("red", "a"), ("red", None), ("red", "b"), ("reda", None)]
        keys = [it.it.store.add(team=team, customer=customer) for team, customer in people]
        assert await it.put("k", 1, keys[0]) is True
        found = {n for n, key in enumerate(keys) if await it.get("k", key) == 1}
        assert found == shared_by
        assert await it.get("k", keys[0], namespace="mine") == "none"

    in_house(tmp_path, main, scope=scope)


def test_what_is_invalidated_is_gone_and_what_was_found_before_is_not_kept(tmp_path: Path) -> None:
    async def main(it: House) -> None:
        cache = it.it.world.cache
        for name in "abc":
            await it.put(name, name, sources=[f"doc-{name}"], tags=["t"])
        cache.invalidate("1", Selector(source="doc-a"))
        assert [await it.get(name) for name in "abc"] == ["none", "b", "c"]
        as_of = (await it.say(GET, keys=["d"])).json["as_of"]
        cache.invalidate("2", Selector(source="doc-d"))
        assert await it.put("d", 1, sources=["doc-d"], as_of=as_of) == "invalidated"
        assert await it.put("d", 1, sources=["doc-d", "doc-e"], as_of=as_of) == "invalidated"
        assert await it.put("e", 1, sources=["doc-e"], as_of=as_of) is True
        as_of = (await it.say(GET, keys=["d"])).json["as_of"]
        assert await it.put("d", 2, sources=["doc-d"], as_of=as_of) is True
        cache.invalidate("3", Selector(tag="house"))
        assert [await it.get(name) for name in "abcde"] == ["none"] * 5
        assert cache.unkept["small", "invalidated"] == 2

    in_house(tmp_path, main)


def test_what_another_machine_knew_is_not_kept_in_memory(tmp_path: Path) -> None:
    async def main(it: House) -> None:
        as_of = (await it.say(GET, keys=["d"])).json["as_of"]
        cache = it.it.world.cache
        mine, cache.machine = cache.machine, "another"
        assert await it.put("d", 1, as_of=as_of) == "as_of_unknown"
        cache.machine, cache.since_s = mine, cache.since_s + 1e6  # as if started anew
        assert await it.put("d", 1, as_of=as_of) == "as_of_unknown"
        assert await it.get("d") == "none"

    in_house(tmp_path, main)


def test_entries_have_their_bounds(tmp_path: Path) -> None:
    async def main(it: House) -> None:
        assert await it.put("k", "x" * 1022) is True
        assert await it.put("k", "x" * 1023) == "too_large"
        assert await it.put("short", 1, ttl_s=0.01) is True
        assert await it.put("long", 1, ttl_s=1e6) is True
        rows = (await it.say(GET, keys=["long"])).json["data"]
        assert rows[0]["expires_in_s"] <= 3600
        await asyncio.sleep(0.02)
        assert await it.get("short") == "none"
        for number in range(99):
            await it.put(f"{number}", "x" * 1000)
        held = it.it.world.cache.memory["small", "chunks"]
        assert held.size <= held.max_bytes
        assert held.evicted

    in_house(tmp_path, main, max_entry_bytes=1024, max_bytes=50_000)


@pytest.mark.parametrize(
    ("path", "said", "status", "code"),
    [
        (GET, {"keys": []}, 400, "invalid_parameter"),
        (GET, {"keys": [""]}, 400, "invalid_parameter"),
        (GET, {"keys": ["k"] * 101}, 400, "invalid_parameter"),
        (GET, {"keys": ["k" * 513]}, 400, "invalid_parameter"),
        (GET, {"keys": ["k"], "odd": 1}, 400, "invalid_parameter"),
        (GET, {"entries": []}, 400, "invalid_parameter"),
        (PUT, {"entries": [{"key": "k"}]}, 400, "invalid_parameter"),
        (PUT, {"entries": [{"key": "k", "value": 1, "ttl_s": 0}]}, 400, "invalid_parameter"),
        (PUT, {"entries": [{"key": "k", "value": 1, "tags": [" "]}]}, 400, "invalid_parameter"),
        (PUT, {"entries": [{"key": "k", "value": 1}], "as_of": "x"}, 400, "invalid_parameter"),
        (PUT, {"entries": [{"key": "k", "value": 1}], "as_of": "é"}, 400, "invalid_parameter"),
        (DELETE, {"keys": "k"}, 400, "invalid_parameter"),
        (GET, {"keys": ["k"], "route": "none"}, 404, "model_not_found"),
        (GET, {"keys": ["k"], "route": "bare"}, 400, "invalid_request"),
    ],
    ids=range(14),
)
def test_what_cannot_be_meant_so_is_refused(
    tmp_path: Path, path: str, said: Any, status: int, code: str
) -> None:
    async def main(it: House) -> None:
        reply = await it.say(path, **said)
        assert (reply.status, reply.code) == (status, code)

    in_house(tmp_path, main)


def test_a_key_needs_the_route_and_some_patience(tmp_path: Path) -> None:
    async def main(it: House) -> None:
        stranger = it.it.store.add(routes=("other",))
        reply = await it.say(GET, stranger, keys=["k"])
        assert (reply.status, reply.code) == (403, "route_not_allowed")
        assert (await it.say(GET, "sk-tg-none", keys=["k"])).status == 401
        rate = it.it.world.cache.chunk_rate
        now_s = 1e9
        for _ in range(CHUNKS_BURST):
            rate.admit("loud", now_s)
        reply = await it.it.ask(GET, b"[]", {"authorization": f"Bearer {it.it.key}"})
        assert (reply.status, reply.code) == (400, "invalid_json")
        get = await it.it.ask(GET, method="GET", headers={"authorization": f"Bearer {it.it.key}"})
        assert (get.status, get.headers["allow"]) == (405, "POST")

    in_house(tmp_path, main)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, min_size=1, max_size=9))
def test_any_value_comes_back(tmp_path: Path, values: list[Any]) -> None:
    async def main(it: House) -> None:
        entries = [{"key": f"{n}", "value": value} for n, value in enumerate(values)]
        assert (await it.say(PUT, entries=entries)).status == 200
        reply = await it.say(GET, keys=[f"{n}" for n in range(len(values))])
        assert [row["value"] for row in reply.json["data"]] == values

    in_house(tmp_path, main)


TENANTS = [("red", None), ("red", "a"), ("blue", None), ("blue", "a"), ("reda", None)]


async def mixed(houses: list[House], keys: list[str], operations: int) -> dict[str, int]:
    """Puts, gets, deletes and invalidations of many tenants; -> how many of each came to what."""
    rng, seen = random.Random(4), {"hit": 0, "none": 0, "gone": 0}
    for number in range(operations):
        it, tenant, name = rng.choice(houses), rng.randrange(len(keys)), f"k{rng.randrange(9)}"
        namespace = rng.choice(["", "n"])
        act = rng.random()
        if act < 0.4:
            value = [tenant, name, namespace, number]
            await it.put(name, value, keys[tenant], namespace=namespace, sources=[name])
        elif act < 0.9:
            found = await it.get(name, keys[tenant], namespace=namespace)
            seen["none" if found == "none" else "hit"] += 1
            assert found == "none" or found[:3] == [tenant, name, namespace], "another's"
        else:
            await it.say(DELETE, keys[tenant], keys=[name], namespace=namespace)
            if act > 0.98:
                it.it.world.cache.invalidate(f"{number}", Selector(source=name))
                seen["gone"] += 1
    return seen


def test_nobody_gets_what_another_has_put(tmp_path: Path) -> None:
    async def main(it: House) -> None:
        it.it.world.cache.chunk_rate.burst = 10**9
        keys = [it.it.store.add(team=team, customer=customer) for team, customer in TENANTS]
        seen = await mixed([it], keys, 800)
        assert min(seen.values()) > 3, seen

    in_house(tmp_path, main)


@pytest.mark.soak
@pytest.mark.timeout(2_000)
def test_nobody_gets_what_another_has_put_in_a_hundred_thousand(tmp_path: Path) -> None:
    async def main(it: House) -> None:
        it.it.world.cache.chunk_rate.burst = 10**9
        keys = [it.it.store.add(team=team, customer=customer) for team, customer in TENANTS]
        print(await mixed([it], keys, 100_000), "0 cross reads")

    async def begun() -> None:
        async with gateway(tmp_path, target(1)) as it:
            assert await it.obey(keeping())
            await main(House(it))

    run(begun(), 900.0)


def is_open(it: Gateway) -> bool:
    shared = it.world.cache.shared
    return shared is not None and shared.open and shared.invalidations.is_current


def test_gateways_with_one_store_share_them(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with (
            Upstream(whole()),
            gateway(tmp_path / "a", target(1)) as one,
            gateway(tmp_path / "b", target(1)) as other,
        ):
            houses = [House(one), House(other)]
            keys = [one.store.add(team=team, customer=customer) for team, customer in TENANTS]
            for it in (one, other):
                it.world.cache.connect = connecting({}, "g")
                it.world.cache.chunk_rate.burst = 10**9
                it.store.rows, it.key = one.store.rows, one.key
                assert await it.obey(
                    replace(keeping(store="shared"), counters=CounterStore(url=url))
                )
                await until(partial(is_open, it))
            seen = await mixed(houses, keys, 300)
            assert seen["hit"] > 9
            assert await houses[0].put("k", 1) is True
            assert await houses[1].get("k") == 1
            as_of = (await houses[0].say(GET, keys=["k"])).json["as_of"]
            other.world.cache.machine = "another"  # the stream's numbers are everybody's
            assert await houses[1].put("m", 1, as_of=as_of) is True
            server.signal(signal.SIGSTOP)
            gone = await houses[0].say(DELETE, keys=["k"])
            server.signal(signal.SIGCONT)
            assert gone.status == 503, "it may be there still"
            await until(partial(is_open, one))
            assert (await houses[0].say(DELETE, keys=["m"])).json["data"][0]["deleted"]
            assert await houses[0].get("m") == "none"
            await asyncio.gather(*(it.world.cache.stop() for it in (one, other)))
            assert await houses[0].put("k", 1) == "store_unavailable"
            assert (await houses[0].say(DELETE, keys=["k"])).status == 503
            assert await houses[0].get("k") == "none"

    with redis_rig.serving("redis", tmp_path) as server:
        run(main(f"unix://{server.socket}"))


def test_what_they_save_is_what_applications_say(tmp_path: Path) -> None:
    async def main(it: House) -> None:
        assert await it.put("k", ["text"], took_s=0.5, cost_usd=0.002) is True
        assert await it.put("untold", ["text"]) is True
        for name in ("k", "k", "untold", "missing"):
            await it.get(name)
        worth = it.it.world.cache.chunks["small"]
        assert (worth.saved_s, worth.saved_nanousd) == (1.0, 4_000_000)
        assert (worth.untold_time, worth.untold_money) == (1, 1)
        assert 0 < worth.looked_s < 60
        for wrong in ({"took_s": 0}, {"took_s": 1e9}, {"cost_usd": -1}, {"cost_usd": "1"}):
            reply = await it.say(PUT, entries=[{"key": "k", "value": 1, **wrong}])
            assert (reply.status, reply.json["error"]["code"]) == (400, "invalid_parameter")

    in_house(tmp_path, main)
