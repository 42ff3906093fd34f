"""One pipelined connection to Redis, kept open, with a hard deadline and a breaker.

Replies are matched to commands by place, and a caller that has gone (deadline, cancellation)
leaves its place behind, so no reply ever reaches another's caller. A few failures in a row, or an
answer that means that the server is sick, break the connection: from then on every call fails at
once, without a wait, until a new connection has answered within the deadline of a call.

On one connection everything happens in order. What an old one may still have in the server's
buffers is cut off by `CLIENT KILL` before anything else is said on the new one.
"""

import asyncio
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from tidegate.core import clock
from tidegate.stores.redis_address import RedisAddress
from tidegate.stores.redis_wire import (
    SICK,
    Malformed,
    RedisAway,
    RedisRefused,
    RedisUnavailable,
    Replies,
    Reply,
    encode,
)

log = logging.getLogger(__name__)

DEADLINE_S: Final = 0.020
FAILURES_TO_BREAK: Final = 3
_HANDSHAKE_S: Final = 1.0
_RETRY_S: Final = 0.05
_RETRY_MAX_S: Final = 1.0
_GOOD_AFTER_S: Final = 5.0
_MAX_PENDING: Final = 20_000


class _Wire(asyncio.Protocol):
    """The socket, and one place for each reply that is still to come."""

    def __init__(self, broken: Callable[["_Wire", str], None]) -> None:
        self._broken = broken
        self._replies = Replies()
        self.places: deque[asyncio.Future[Reply]] = deque()
        self.transport = cast(asyncio.Transport, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, command: bytes) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self.transport.is_closing() or len(self.places) >= _MAX_PENDING:
            future.set_exception(RedisUnavailable("Redis takes no more"))
            return future
        self.places.append(future)
        self.transport.write(command)
        return future

    def data_received(self, data: bytes) -> None:
        try:
            for reply in self._replies.feed(data):
                future = self.places.popleft()
                if not future.done():
                    future.set_result(reply)
                if isinstance(reply, RedisRefused) and reply.kind in SICK:
                    self._broken(self, str(reply))
                    return
        except (Malformed, IndexError) as error:
            self._broken(self, str(error))

    def connection_lost(self, error: Exception | None) -> None:
        self._broken(self, str(error or "the connection was closed"))

    def end(self, why: str) -> None:
        self.transport.abort()
        while self.places:
            future = self.places.popleft()
            if not future.done():
                future.set_exception(RedisUnavailable(why))


class RedisLink:
    """Keeps the connection. `on_open` is awaited before anybody else may use a new one.

    `server_run` names the life of the server: it changes when that is started anew or replaced.
    """

    def __init__(
        self,
        address: RedisAddress,
        name: str,
        on_open: Callable[["RedisLink"], Awaitable[None]],
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._address = address
        self._name = name
        self._on_open = on_open
        self._deadline_s = deadline_s
        self._wire: _Wire | None = None
        self._opening = False
        self._lost = asyncio.Event()
        self._failures = 0
        self._client_id: Reply = None
        self.server_run = ""
        self.breaks = 0
        self.timeouts = 0

    @property
    def open(self) -> bool:
        return self._wire is not None and not self._opening

    async def call(self, command: bytes) -> Reply:
        """Its reply within the deadline. Raises RedisUnavailable and RedisRefused."""
        if not self.open:
            raise RedisAway("Redis is away")
        return await self.ask(command)

    async def ask(self, command: bytes, deadline_s: float | None = None) -> Reply:
        """As `call`, and for `on_open` too."""
        deadline_s = deadline_s or self._deadline_s
        future = self.send(command)
        loop = asyncio.get_running_loop()
        # In two steps: after a stall of the loop a timer may come before a reply that is there.
        late = functools.partial(self._late, self._wire, future)
        timer = loop.call_later(0.9 * deadline_s, loop.call_later, 0.1 * deadline_s, late)
        try:
            reply = await future
        finally:
            timer.cancel()
        self._failures = 0
        if isinstance(reply, RedisRefused):
            raise reply
        return reply

    def send(self, command: bytes) -> asyncio.Future[Reply]:
        """Its reply whenever it comes; RedisUnavailable when the connection breaks before it."""
        if self._wire is None:
            raise RedisAway("Redis is away")
        return self._wire.send(command)

    def _late(self, wire: _Wire | None, future: asyncio.Future[Reply]) -> None:
        if future.done():
            return
        future.set_exception(RedisUnavailable("Redis did not answer in time"))
        self.timeouts += 1
        self._failures += 1
        if wire is not None and self._failures >= FAILURES_TO_BREAK:
            self._broken(wire, "it does not answer in time")

    def _broken(self, wire: _Wire, why: str) -> None:
        if wire is self._wire:
            self._wire = None
            self._failures = 0
            self.breaks += 1
            self._lost.set()
            log.warning("Redis at %s is away: %s", self._address, why)
        wire.end(f"Redis is away: {why}")

    async def keep(self) -> None:
        """Connects, and connects again; returns never."""
        wait_s = _RETRY_S
        try:
            while True:
                self._lost.clear()
                since_s = clock.monotonic_s()
                try:
                    async with asyncio.timeout(_HANDSHAKE_S):
                        await self._connect()
                except (OSError, TimeoutError, RedisUnavailable, RedisRefused) as error:
                    self._drop(str(error) or type(error).__name__)
                else:
                    log.info("Redis at %s is there", self._address)
                    await self._lost.wait()
                good = clock.monotonic_s() - since_s > _GOOD_AFTER_S
                wait_s = _RETRY_S if good else min(2 * wait_s, _RETRY_MAX_S)
                await asyncio.sleep(wait_s)
        finally:
            wire, self._wire = self._wire, None
            if wire is not None:
                wire.end("this gateway has ended")

    def _drop(self, why: str) -> None:
        self._opening = False
        if self._wire is not None:
            self._broken(self._wire, why)

    async def _connect(self) -> None:
        loop, address = asyncio.get_running_loop(), self._address
        make: Callable[[], _Wire] = lambda: _Wire(self._broken)  # noqa: E731
        if address.path:
            _, wire = await loop.create_unix_connection(make, address.path)
        else:
            _, wire = await loop.create_connection(
                make, address.host or "localhost", address.port, ssl=address.tls
            )
        self._opening, self._wire = True, wire
        await self._greet(address)
        await self._on_open(self)
        await self.ask(encode("PING"))  # as quick as a call must be, or it is not open
        self._opening = False

    async def _greet(self, address: RedisAddress) -> None:
        if address.password is not None:
            who = [address.user] if address.user else []
            await self.ask(encode("AUTH", *who, address.password.reveal()), _HANDSHAKE_S)
        if address.database:
            await self.ask(encode("SELECT", address.database), _HANDSHAKE_S)
        info = await self._told(encode("INFO", "server"))
        run = _run_id(info)
        if run and run == self.server_run and self._client_id is not None:
            await self._told(encode("CLIENT", "KILL", "ID", cast(Any, self._client_id)))
        self.server_run = run
        self._client_id = await self._told(encode("CLIENT", "ID"))
        await self._told(encode("CLIENT", "SETNAME", self._name))

    async def _told(self, command: bytes) -> Reply:
        """A reply that we can do without: a managed server may not allow the command."""
        try:
            return await self.ask(command, _HANDSHAKE_S)
        except RedisRefused as refused:
            if refused.kind in SICK:
                raise
            return None


def _run_id(info: Reply) -> str:
    for line in info.splitlines() if isinstance(info, bytes) else ():
        if line.startswith(b"run_id:"):
            return line[7:].decode()
    return ""
