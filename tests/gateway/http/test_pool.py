"""Connections to one origin: used again, waited for in line, closed when they idle."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.gateway.http.line import CHUNKED_HEAD
from tests.gateway.http.network import GET, Network, origin, took
from tests.gateway.http.rig import House, later, until

from tidegate.gateway.http import pool as pools
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import Pool


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


@pytest.mark.parametrize("closed_first", [True, False])
def test_a_retired_pool_waits_for_no_answer_s_end(closed_first: bool) -> None:
    """Nobody sweeps it: what is still to come of an answer that is done must not hold it open."""

    async def main() -> None:
        pool = Pool(origin(("x", 1)), 1)
        asyncio.get_running_loop().create_connection = Network(0).connect  # type: ignore[method-assign]
        upstream = await took(pool)
        upstream.send(GET, 1000)
        upstream.data_received(CHUNKED_HEAD + b"3\r\nabc\r\n")
        steps = [pool.close, upstream.release]
        for step in steps if closed_first else reversed(steps):
            step()
        assert not upstream.usable
        await until(lambda: pool.open == 0)

    asyncio.run(main())
