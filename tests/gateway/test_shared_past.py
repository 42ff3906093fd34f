"""What keys spent comes into their shared counters once, however many ask at once."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from tests.gateway.rig import run
from tests.stores.redis_rig import budget
from tests.stores.redis_rig import want as want_of

from tidegate.gateway import shared_past
from tidegate.gateway.shared_past import SharedPast
from tidegate.stores.errors import StoreUnavailable
from tidegate.stores.redis_wants import Want
from tidegate.stores.redis_wire import RedisAway


class Store:
    """Counters and ledger at once. `others` are scopes that other gateways fill."""

    def __init__(self, *others: str) -> None:
        self.others = others
        self.read: list[list[str]] = []
        self.filled: dict[str, int] = {}
        self.error: Exception | None = None
        self.away = False
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def begin(self, want: Want) -> str | None:
        if self.away:
            raise RedisAway("away")
        return None if want.scope in self.others else "nonce"

    async def fill(self, want: Want, nonce: str, past: Iterable[tuple[float, int]]) -> bool:
        assert nonce == "nonce"
        self.filled[want.scope] = sum(amount for _, amount in past)
        return True

    async def amounts(self, of: Sequence[tuple[Any, str]]) -> list[list[tuple[float, int]]]:
        self.read.append([scope for _, scope in of])
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return [[(1.0, 7)] for _ in of]


def past_of(store: Any) -> SharedPast:
    return SharedPast(store, store.amounts)


def want(scope: str) -> Want:
    return want_of(budget(9), 1, scope)


def test_all_who_ask_at_once_share_a_read_and_different_keys_one_too() -> None:
    async def main() -> None:
        store = Store()
        past = past_of(store)
        store.go_on.clear()
        first = asyncio.create_task(past.learn("it", "a", want("a")))
        await asyncio.sleep(0)
        some = [asyncio.create_task(past.learn("it", scope, want(scope))) for scope in "abcabc"]
        await asyncio.sleep(0)
        store.go_on.set()
        assert await asyncio.gather(first, *some) == [True] * 7
        assert store.read == [["a"], ["b", "c"]]
        assert store.filled == {"a": 7, "b": 7, "c": 7}

    run(main())


def test_what_another_gateway_fills_is_not_read() -> None:
    async def main() -> None:
        store = Store("a")
        assert await past_of(store).learn("it", "a", want("a"))
        assert store.read == []

    run(main())


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), OSError("gone"), KeyError("odd")])
def test_a_ledger_that_cannot_be_read_is_a_no_and_is_asked_again_by_the_next(
    error: Exception,
) -> None:
    async def main() -> None:
        store = Store()
        past = past_of(store)
        store.error = error
        assert not await past.learn("it", "a", want("a"))
        store.error = None
        assert await past.learn("it", "a", want("a"))
        assert store.filled == {"a": 7}

    run(main())


def test_a_redis_that_is_away_is_for_the_asker_to_find_out() -> None:
    async def main() -> None:
        store = Store()
        store.away = True
        assert await past_of(store).learn("it", "a", want("a"))

    run(main())


def test_nobody_waits_for_ever_and_few_are_let_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr(shared_past, "PATIENCE_S", 0.01)
        monkeypatch.setattr(shared_past, "MAX_WAITING", 1)
        store = Store()
        past = past_of(store)
        store.go_on.clear()
        assert not await past.learn("it", "a", want("a"))
        assert not await past.learn("it", "b", want("b"))
        store.go_on.set()
        monkeypatch.setattr(shared_past, "PATIENCE_S", 5.0)
        assert await past.learn("it", "a", want("a"))
        assert store.read == [["a"]]

    run(main())
