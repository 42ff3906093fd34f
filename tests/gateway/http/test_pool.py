"""Connections to one origin: whatever happens to those who take them, none is lost or counted
twice."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.http.line import CHUNKED_HEAD, WHOLE
from tests.gateway.http.rig import FakeTransport, House, later, until

from tidegate.core.plan import Replica
from tidegate.gateway.http import pool as pools
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import Pool, Way

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
MAX_CONNECTIONS = 3
PATIENCE_S = 30.0


def origin(address: tuple[str, int]) -> Way:
    return Way(Replica("r", "http", address[0], address[1], ""), None, address[0], None)


async def took(pool: Pool, connect_s: float = PATIENCE_S) -> Upstream:
    """A connection, as a request takes one."""
    return pool.take_idle() or (await pool.take(connect_s)).upstream


def with_origin(test: Callable[[House, Pool], Awaitable[None]], most: int = 2) -> None:
    async def main() -> None:
        async with House() as house:
            pool = Pool(origin(house.address), most)
            await test(house, pool)
            pool.close()
            await until(lambda: pool.open == 0)

    asyncio.run(main())


async def asked(upstream: Upstream) -> bytes:
    upstream.send(GET, 1000)
    await upstream.answered()
    body = upstream.body()
    upstream.release()
    return body


def test_a_connection_is_used_again() -> None:
    async def test(house: House, pool: Pool) -> None:
        first = await took(pool)
        assert await asked(first) == b"/ "
        assert (pool.open, pool.in_flight) == (1, 0)
        assert await took(pool) is first
        assert (pool.open, pool.in_flight) == (1, 1)
        assert await asked(first) == b"/ "
        assert len(house.listener.connections) == 1

    with_origin(test)


def test_the_next_in_line_gets_what_comes_back() -> None:
    async def test(house: House, pool: Pool) -> None:
        held = [await took(pool), await took(pool)]
        waiting = [asyncio.ensure_future(took(pool)) for _ in range(2)]
        await until(lambda: pool.waiting == 2)
        await asked(held[1])
        assert await waiting[0] is held[1]
        held[0].close()  # frees a slot, not a connection
        assert await waiting[1] not in held
        assert (pool.open, pool.in_flight, pool.waiting) == (2, 2, 0)
        for task in waiting:
            await asked(task.result())

    with_origin(test)


def test_nobody_waits_longer_than_the_deadline() -> None:
    async def test(house: House, pool: Pool) -> None:
        held = [await took(pool), await took(pool)]
        with pytest.raises(pools.PoolFull):
            await took(pool, 0.0)
        assert (pool.open, pool.waiting) == (2, 0)
        for upstream in held:
            upstream.close()

    with_origin(test)


def test_the_line_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAX_WAITERS", 3)

    async def test(house: House, pool: Pool) -> None:
        held = await took(pool)
        waiting = [asyncio.ensure_future(took(pool)) for _ in range(3)]
        await until(lambda: pool.waiting == 3)
        with pytest.raises(pools.PoolFull):
            await took(pool)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (pool.open, pool.waiting) == (1, 0)
        held.close()

    with_origin(test, most=1)


def test_a_refused_connection_gives_its_place_back() -> None:
    async def test(house: House, pool: Pool) -> None:
        nobody = Pool(origin(("127.0.0.1", 1)), 1)
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                await took(nobody)
        assert (nobody.open, nobody.in_flight) == (0, 0)

    with_origin(test)


def test_a_connection_that_the_provider_closed_is_not_handed_out() -> None:
    async def test(house: House, pool: Pool) -> None:
        first = await took(pool)
        await asked(first)
        house.only().abort()
        await until(lambda: pool.open == 0)
        second = await took(pool)
        assert second is not first
        second.close()

    with_origin(test, most=1)


def test_what_idles_too_long_is_closed() -> None:
    async def test(house: House, pool: Pool) -> None:
        await asked(await took(pool))
        pool.sweep(later(pools.IDLE_S - 1))
        assert pool.open == 1
        pool.sweep(later(pools.IDLE_S + 1))
        await until(lambda: pool.open == 0)

    with_origin(test)


def test_an_answer_whose_end_never_comes_gives_its_place_back() -> None:
    async def main() -> None:
        pool = Pool(origin(("x", 1)), 1)
        asyncio.get_running_loop().create_connection = Network(0).connect  # type: ignore[method-assign]
        upstream = await took(pool)
        upstream.send(GET, 1000)
        upstream.data_received(CHUNKED_HEAD + b"3\r\nabc\r\n")
        upstream.release()
        pool.sweep(later(pools.TAIL_S - 1))
        assert upstream.usable
        pool.sweep(later(pools.TAIL_S + 1))
        await until(lambda: pool.open == 0)

    asyncio.run(main())


def test_a_retired_pool_keeps_nothing() -> None:
    async def test(house: House, pool: Pool) -> None:
        upstream = await took(pool)
        pool.close()
        assert await asked(upstream) == b"/ "
        await until(lambda: pool.open == 0)

    with_origin(test)


class Network:
    """`create_connection` as asyncio does it: the connection is made a turn after its socket, and
    a cancel in between closes it then. Fails now and then."""

    def __init__(self, failures: float, seed: int = 0) -> None:
        self.failures = failures
        self.random = random.Random(seed)
        self.transports: list[FakeTransport] = []

    async def connect(self, factory: Callable[[], Upstream], *_: object, **__: object) -> Any:
        for _ in range(self.random.randrange(3)):
            await asyncio.sleep(0)
        if self.random.random() < self.failures:
            raise ConnectionRefusedError
        protocol = factory()
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        transport = FakeTransport.__new__(FakeTransport)

        def made() -> None:
            transport.__init__(protocol)  # type: ignore[misc]
            self.transports.append(transport)

        loop.call_soon(made)
        loop.call_soon(lambda: waiter.done() or waiter.set_result(None))
        try:
            await waiter
        except BaseException:
            loop.call_soon(transport.close)
            raise
        return transport, protocol


class Traffic:
    """Requests that take, use, drop and lose connections in an order drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.network = Network(0.2, seed)
        self.pool = Pool(origin(("x", 1)), MAX_CONNECTIONS)
        self.tasks: set[asyncio.Task[None]] = set()
        self.using: set[Upstream] = set()

    async def request(self) -> None:
        try:
            upstream = await took(self.pool, self.random.choice([0.0, PATIENCE_S]))
        except (OSError, TimeoutError, pools.PoolFull):
            return
        assert upstream not in self.using, "one connection, two requests"
        self.using.add(upstream)
        try:
            await self.exchange(upstream)
        except UpstreamError:
            pass
        except BaseException:
            upstream.close()
            raise
        finally:
            self.using.discard(upstream)

    async def exchange(self, upstream: Upstream) -> None:
        upstream.send(GET, 1000)
        ending = self.random.randrange(6)
        self.after(self.random.randrange(4), lambda: self.provide(upstream, ending))
        await upstream.answered()
        if ending == 1:
            upstream.close()
            return
        self.using.discard(upstream)
        upstream.release()  # in a stream its tail comes later, or never
        if ending == 2:
            self.after(2, lambda: self.feed(upstream, b"0\r\n\r\n"))

    def provide(self, upstream: Upstream, ending: int) -> None:
        """What the provider does; sometimes nothing."""
        if ending == 0:
            upstream.transport.end(ConnectionResetError())  # type: ignore[attr-defined]
        elif ending in (1, 2, 3):
            self.feed(upstream, CHUNKED_HEAD)
        elif self.random.random() < 0.9:
            self.feed(upstream, WHOLE)

    def feed(self, upstream: Upstream, data: bytes) -> None:
        if upstream.usable:
            upstream.data_received(data)

    def after(self, turns: int, what: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(what if turns == 0 else lambda: self.after(turns - 1, what))

    def step(self) -> None:
        draw = self.random.random()
        if draw < 0.5 and len(self.tasks) < 12:
            task = asyncio.ensure_future(self.request())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif draw < 0.6 and self.tasks:
            self.random.choice(sorted(self.tasks, key=id)).cancel()
        elif draw < 0.65 and self.network.transports:
            self.network.transports.pop().end()
        elif draw < 0.7:
            self.pool.sweep(later(self.random.choice([0.0, 3.0, 9.0])))

    def check(self) -> None:
        pool = self.pool
        assert 0 <= pool.in_flight <= pool.open <= MAX_CONNECTIONS
        assert pool.waiting <= len(self.tasks)

    async def run(self, steps: int) -> None:
        asyncio.get_running_loop().create_connection = self.network.connect  # type: ignore[method-assign]
        for _ in range(steps):
            self.step()
            await asyncio.sleep(0)
            self.check()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.pool.sweep(later(1000.0))
        await until(lambda: self.pool.open == 0)
        assert (self.pool.in_flight, self.pool.waiting, self.pool._ending) == (0, 0, {})
        assert all(transport.closing for transport in self.network.transports)


@settings(max_examples=40)
@given(st.integers(0, 1 << 32))
def test_everything_taken_is_given_back_in_any_order_of_events(seed: int) -> None:
    asyncio.run(Traffic(seed).run(300))


@pytest.mark.parametrize("turns", range(8))
def test_a_cancelled_opening_gives_its_place_back_once(turns: int) -> None:
    """At whichever turn of the loop the cancel comes."""

    async def main() -> None:
        pool = Pool(origin(("x", 1)), 1)
        asyncio.get_running_loop().create_connection = Network(0).connect  # type: ignore[method-assign]
        task = asyncio.ensure_future(took(pool))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        for upstream in await asyncio.gather(task, return_exceptions=True):
            if isinstance(upstream, Upstream):
                upstream.close()
        for _ in range(4):
            await asyncio.sleep(0)
        assert pool.open == 0

    asyncio.run(main())
