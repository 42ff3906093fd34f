"""Ways to a replica, over sockets and without: what pools open connections through."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from tests.gateway.http.rig import FakeTransport

from tidegate.core.plan import Replica
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.pool import Pool, Way

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

PATIENCE_S = 30.0


def origin(address: tuple[str, int]) -> Way:
    return Way(Replica("r", "http", address[0], address[1], ""), None, address[0], None)


async def took(pool: Pool, connect_s: float = PATIENCE_S) -> Upstream:
    """A connection, as a request takes one."""
    return pool.take_idle() or (await pool.take(connect_s)).upstream


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
