"""The store that a plan names: kept from plan to plan, filled from the ledger, ended with care."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.gateway.rig import plan_of, run, target, until
from tests.gateway.shared import NothingSpent
from tests.stores.redis_rig import budget as quota_of
from tests.stores.redis_rig import serving, want

from tidegate.core.database_ref import CounterStore
from tidegate.core.plan import Plan
from tidegate.core.resilience import Deadlines
from tidegate.gateway.shared_store import SharedStore, SharedStores, lease_s
from tidegate.stores.redis_wants import LEASE_S

ADDRESS = "redis://127.0.0.1:1/0"


def plan(url: str = ADDRESS, **fields: Any) -> Plan:
    return plan_of(target(1), counters=CounterStore(url=url, **fields))


def stores(**environ: str) -> SharedStores:
    return SharedStores("g", environ, NothingSpent())


def test_a_plan_without_a_store_counts_in_memory() -> None:
    assert stores().of(plan_of(target(1)), []) is None


def test_an_address_that_is_not_to_be_had_is_said_without_its_secret() -> None:
    with pytest.raises(ValueError, match="REDIS_URL is not set"):
        stores().of(plan_of(target(1), counters=CounterStore(env="REDIS_URL")), [])
    with pytest.raises(ValueError, match=r"\$REDIS_URL: expected an address") as error:
        known = stores(REDIS_URL="http://:hunter2@host")
        known.of(plan_of(target(1), counters=CounterStore(env="REDIS_URL")), [])
    assert "hunter2" not in str(error.value)


def test_a_store_is_kept_while_the_plan_counts_the_same_money_there() -> None:
    async def main() -> None:
        several = stores()
        first = several.of(plan(), ["a"])
        several.adopt(first, ())
        assert several.of(plan(), ["a"]) is first
        assert several.of(plan(), ["a", "b"]) is not first
        assert several.of(plan(mode="exact"), ["a"]) is not first
        await several.close()

    run(main())


def test_a_store_that_is_replaced_ends_when_its_last_request_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        monkeypatch.setattr("tidegate.gateway.shared_store.RETRY_S", 0.001)
        ended: list[SharedStore] = []

        async def close(self: SharedStore) -> None:
            ended.append(self)

        monkeypatch.setattr(SharedStore, "close", close)
        several = stores()
        first = several.of(plan(), ["a"])
        assert first is not None
        first.start = lambda: None  # type: ignore[method-assign]
        several.adopt(first, ())
        first.in_use = 1
        several.adopt(None, ())
        await asyncio.sleep(0.02)
        assert ended == []
        first.in_use = 0
        await until(lambda: ended == [first])

    run(main())


def test_a_lease_is_longer_than_the_longest_request() -> None:
    assert lease_s(plan_of(target(1, deadlines=Deadlines(total_s=60.0)))) == LEASE_S
    slow = target(1, deadlines=Deadlines(total_s=3600.0))
    assert lease_s(plan_of(slow)) > 3600.0 + slow.queueing.max_wait_s


@pytest.mark.redis
def test_counters_are_filled_with_what_the_ledger_holds_before_they_are_asked() -> None:
    async def main(server: Any) -> None:
        limited = quota_of(100)

        class Spent(NothingSpent):
            async def rows(self, limits: Any, wall_s: float) -> list[Any]:
                await super().rows(limits, wall_s)
                return [want(limited, 42)]

        past = Spent()
        several = SharedStores("g", {}, past)
        store = several.of(plan(f"unix://{server.socket}"), ["a"])
        assert store is not None
        several.adopt(store, ("money",))
        await store.ready(10.0)
        assert [one.used for one in await store.counters.read([want(limited, 0)])] == [42]
        assert past.asked == [("money",)]
        await several.close()

    with TemporaryDirectory(prefix="tg") as folder, serving("redis", Path(folder)) as server:
        run(main(server))


@pytest.mark.redis
def test_what_nobody_foresaw_in_the_ledger_does_not_end_the_store(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tidegate.gateway.shared_store.RETRY_S", 0.01)

    async def main(server: Any) -> None:
        class Odd(NothingSpent):
            async def rows(self, limits: Any, wall_s: float) -> list[Any]:
                await super().rows(limits, wall_s)
                if len(self.asked) == 1:
                    raise KeyError("odd")
                return []

        several = SharedStores("g", {}, Odd())
        store = several.of(plan(f"unix://{server.socket}"), ["a"])
        assert store is not None
        several.adopt(store, ("money",))
        await store.ready(10.0)
        assert store.counters.available
        await several.close()

    with TemporaryDirectory(prefix="tg") as folder, serving("redis", Path(folder)) as server:
        run(main(server))
    assert "something unforeseen" in caplog.text
