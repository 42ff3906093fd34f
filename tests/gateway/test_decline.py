"""The client leaves: in whatever phase, the provider is stopped, what it did is charged, and
nothing stays behind."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import HELLO, Gateway, gateway, run, target, until
from tests.gateway.upstream import STREAM_HEAD, Exchange, Upstream, stalling, whole

from tidegate.core import clock
from tidegate.core.plan import JournalBounds

STREAM = {**HELLO, "stream": True}


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def leave(it: Gateway, body: Any, when: Callable[[], Awaitable[object]]) -> None:
    """Asks, waits for `when`, and drops the connection."""
    _, writer = await it.connect()
    writer.write(it.request(body=body))
    await when()
    writer.transport.abort()


async def nothing_left(it: Gateway) -> None:
    await until(lambda: not it.world.listener.connections)
    await until(lambda: not it.world.calls and not it.world.relays)
    for pool in it.preparer.pools.values():
        await until(lambda pool=pool: pool.in_flight == 0 and pool.waiting == 0)  # type: ignore[misc]


@pytest.mark.parametrize("stream", [False, True])
def test_before_the_head(tmp_path: Path, stream: bool) -> None:
    async def main() -> None:
        async with Upstream(stalling(None)) as up, gateway(tmp_path, target(up.port)) as it:
            await leave(it, {**HELLO, "stream": stream}, up.arrived)
            await up.exchanges[0].closed.wait()
            r = await it.receipt()
            assert (r.error_code, r.cancelled_by, r.status) == ("client_closed", "client", 499)
            assert r.error_fault == "caller"
            assert r.input_tokens == 5
            assert r.tokens_estimated
            assert r.output_tokens is None
            await nothing_left(it)

    run(main())


@pytest.mark.parametrize("tokens", [0, 1, 7])
def test_within_a_stream(tmp_path: Path, tokens: int) -> None:
    async def main() -> None:
        async with Upstream(stalling(tokens)) as up, gateway(tmp_path, target(up.port)) as it:

            async def relayed() -> None:
                await until(lambda: any(r.chunks == tokens for r in it.world.relays))

            await leave(it, STREAM, relayed)
            await up.exchanges[0].closed.wait()
            r = await it.receipt()
            assert (r.error_code, r.cancelled_by) == ("client_closed", "client")
            assert r.interrupted == (tokens > 0)
            # Before the first one nobody knows how much was thought; the rest was seen.
            assert (r.output_tokens, r.tokens_estimated) == (tokens or None, True)
            assert r.cost_nanousd == (5 * 1000 + tokens * 2000 if tokens else None)
            assert r.finish_reason is None
            await nothing_left(it)

    run(main())


def test_half_way_through_a_whole_answer(tmp_path: Path) -> None:
    async def main() -> None:
        sent = asyncio.Event()

        async def half(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
            sent.set()
            await exchange.closed.wait()

        async with Upstream(half) as up, gateway(tmp_path, target(up.port)) as it:
            await leave(it, HELLO, sent.wait)
            await up.exchanges[0].closed.wait()
            r = await it.receipt()
            assert (r.cancelled_by, r.output_tokens, r.cost_nanousd) == ("client", None, None)
            await nothing_left(it)

    run(main())


def test_in_line_for_a_place(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Upstream(stalling(None)) as up,
            gateway(tmp_path, target(up.port, max_connections=1)) as it,
        ):
            first = asyncio.ensure_future(it.ask())
            await up.arrived()
            [pool] = it.preparer.pools.values()

            ((_, places),) = it.world.queues

            async def queued() -> None:
                await until(lambda: places.line.count == 1)

            await leave(it, STREAM, queued)
            r = await it.receipt()
            assert (r.cancelled_by, r.cost_nanousd) == ("client", 0)
            assert r.queue_s is not None
            assert r.queue_s > 0
            assert (pool.open, len(up.exchanges)) == (1, 1)
            assert (places.in_flight, places.line.count) == (1, 0)
            first.cancel()
            await nothing_left(it)

    run(main())


def test_while_connecting(tmp_path: Path) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(deaf.getsockname())
            async with gateway(tmp_path, target(deaf.getsockname()[1])) as it:
                [pool] = it.preparer.pools.values()

                async def connecting() -> None:
                    await until(lambda: pool.open == 1)
                    await asyncio.sleep(0.01)

                await leave(it, STREAM, connecting)
                r = await it.receipt()
                assert (r.cancelled_by, r.cost_nanousd) == ("client", 0)
                await nothing_left(it)
                assert pool.open == 0
            for filler in fillers:
                filler.close()

    run(main())


def test_in_every_turn_of_the_loop(tmp_path: Path) -> None:
    """One abort after each count of turns, so that one falls into every gap between two steps."""

    async def brisk(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for _ in range(5):
            exchange.say("x")
            await asyncio.sleep(0)
        exchange.end()

    async def main() -> None:
        async with Upstream(brisk) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask(body=STREAM)
            for turns in range(60):
                for pooled in (True, False):
                    if not pooled:
                        for pool in it.preparer.pools.values():
                            pool.sweep(float("inf"))
                    _, writer = await it.connect()
                    writer.write(it.request(body=STREAM))
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    writer.transport.abort()
                    await nothing_left(it)
            for pool in it.preparer.pools.values():
                assert pool.open <= 2
            assert (await it.ask(body=STREAM)).whole

    run(main())


@pytest.mark.parametrize("durability", ["disk", "store"])
def test_while_the_answer_waits_for_its_receipt(tmp_path: Path, durability: Any) -> None:
    async def main() -> None:
        bounds = JournalBounds(durability=durability)
        async with (
            Upstream(whole()) as up,
            gateway(tmp_path, target(up.port), journal=bounds) as it,
        ):

            async def written() -> None:
                await it.receipt()

            await leave(it, HELLO, written)
            await nothing_left(it)
            it.journal.recorded(9, 0)
            r = await it.receipt()
            assert (r.status, r.output_tokens) == (200, 5)  # it was produced, and is charged

    run(main())


def test_the_upstream_s_end_follows_the_client_s(tmp_path: Path, capsys: Any) -> None:
    """Prints how long; asserts only that it is the abort and no deadline that ended it."""
    lags: list[float] = []

    async def main() -> None:
        async with Upstream(stalling(2)) as up, gateway(tmp_path, target(up.port)) as it:
            for number in range(200):
                _, writer = await it.connect()
                writer.write(it.request(body=STREAM))
                exchange = await up.arrived(number + 1)
                await until(lambda: any(r.chunks == 2 for r in it.world.relays))
                left_s = clock.monotonic_s()
                writer.transport.abort()
                await exchange.closed.wait()
                assert exchange.closed_s is not None
                lags.append(exchange.closed_s - left_s)
            await nothing_left(it)

    run(main())
    lags.sort()
    with capsys.disabled():
        print(f"\nclient gone -> upstream closed: p50 {lags[100] * 1e3:.2f} ms", end=" ")
        print(f"p99 {lags[198] * 1e3:.2f} ms")
    assert lags[198] < 30  # the smallest deadline that could have done it


def test_two_thousand_aborts_leave_nothing(tmp_path: Path) -> None:
    async def stall(exchange: Exchange) -> None:
        await stalling(3 if exchange.json["stream"] else None)(exchange)

    async def main() -> None:
        async with Upstream(stall) as up, gateway(tmp_path, target(up.port)) as it:
            await leave(it, STREAM, up.arrived)
            await nothing_left(it)
            await until(lambda: not up.connections)
            files = open_files()
            tasks = len(asyncio.all_tasks())

            async def one(number: int) -> None:
                reader, writer = await it.connect()
                body = {**HELLO, "stream": number % 4 != 0}
                writer.write(it.request(body=body))
                if number % 4 == 1:
                    await reader.read(10)
                elif number % 4 != 2:
                    for _ in range(number % 31):
                        await asyncio.sleep(0)
                writer.transport.abort()

            for batch in range(40):
                await asyncio.gather(*(one(batch * 50 + n) for n in range(50)))
            await nothing_left(it)
            await until(lambda: not up.connections)
            await until(lambda: len(asyncio.all_tasks()) == tasks)
            [pool] = it.preparer.pools.values()
            assert pool.open == 0
            assert open_files() == files
            receipts = it.receipts()
            assert len({r.id for r in receipts}) == len(receipts)
            assert {r.cancelled_by for r in receipts} == {"client"}
            assert all(r.cost_nanousd is None or r.cost_nanousd >= 0 for r in receipts)

    run(main())
