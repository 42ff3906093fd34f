"""Pools in traffic: whatever happens to those who take connections, none is lost or counted
twice."""

import asyncio
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.http.line import CHUNKED_HEAD, WHOLE
from tests.gateway.http.network import GET, PATIENCE_S, Network, origin, took
from tests.gateway.http.rig import later, until

from tidegate.gateway.http import pool as pools
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import Pool

MAX_CONNECTIONS = 3


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
