"""Connections and requests free their memory when they end: nothing waits for the collector."""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.gateway.rig import HELLO, Gateway, gateway, run, target, until
from tests.gateway.routed import SOON, at, routed
from tests.gateway.upstream import Exchange, Script, Upstream, stalling, streaming, whole

from tidegate.core.resilience import Breaker

TIMES = 5


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector only collects when a test says so, and keeps what it finds."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def found() -> Counter[str]:
    """Types of ours, and of the parsers under them, that only the collector would have freed."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    types = Counter(f"{type(it).__module__}.{type(it).__qualname__}" for it in gc.garbage)
    gc.garbage.clear()
    ours = {n: c for n, c in types.items() if n.startswith(("tidegate.", "httptools."))}
    return Counter({n: c for n, c in ours.items() if c >= TIMES})  # fewer are of another test


async def hangs_up(exchange: Exchange) -> None:
    exchange.transport.abort()


async def leaves(it: Gateway, up: Upstream, request: bytes) -> None:
    """Sends a request and is gone before its answer has ended."""
    reader, writer = await it.connect()
    writer.write(request)
    if up.script is not whole:
        await reader.read(1)
    writer.transport.abort()
    await until(lambda: not it.world.listener.connections)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "script",
    [whole(), whole({"error": {"message": "no"}}, 500), streaming(3), hangs_up],
    ids=["whole", "error", "stream", "hang up"],
)
def test_an_ended_exchange_leaves_nothing(
    tmp_path: Path, collector: None, script: Script, stream: bool
) -> None:
    async def main() -> None:
        async with Upstream(script) as up, gateway(tmp_path, target(up.port)) as it:
            await it.ask(body={**HELLO, "stream": stream})  # what is made once
            found()
            for _ in range(TIMES):
                await it.ask(body={**HELLO, "stream": stream})
            await until(lambda: not it.world.listener.connections)
            await asyncio.sleep(0)
            assert not found()

    run(main())


def test_a_client_that_leaves_a_stream_leaves_nothing(tmp_path: Path, collector: None) -> None:
    async def main() -> None:
        async with Upstream(stalling(2)) as up, gateway(tmp_path, target(up.port)) as it:
            request = it.request(body={**HELLO, "stream": True})
            await leaves(it, up, request)
            found()
            for _ in range(TIMES):
                await leaves(it, up, request)
            await until(lambda: not up.connections)
            assert not found()

    run(main())


def test_a_malformed_request_leaves_nothing(tmp_path: Path, collector: None) -> None:
    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port)) as it:
            for path in ("/v1/none", "bad path", "/"):
                await it.ask(path)
            found()
            for _ in range(TIMES):
                await it.ask("bad path")
                await it.ask("/v1/none")
            await until(lambda: not it.world.listener.connections)
            assert not found()

    run(main())


def test_an_attempt_of_which_nothing_is_told_leaves_nothing(
    tmp_path: Path, collector: None
) -> None:
    retry = replace(SOON, attempts=1, budget_percent=1000)

    async def main() -> None:
        async with Upstream(whole({"error": {"message": "no"}}, 500)) as up:
            first = at(up, "a", breaker=Breaker(failures=1000))
            routes = routed(first, retry=retry, unavailable=(at(up, "b", context_tokens=1),))
            async with gateway(tmp_path, first, routes=routes) as it:
                await it.ask()
                found()
                for _ in range(TIMES):
                    assert (await it.ask()).status == 502
                await until(lambda: not it.world.listener.connections)
                await asyncio.sleep(0)
                assert not found()

    run(main())
