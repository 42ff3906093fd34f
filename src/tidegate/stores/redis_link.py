"""One pipelined connection to Redis, kept open, with a hard deadline and a breaker.

Replies are matched to commands by place, and a caller that has gone (deadline, cancellation)
leaves its place behind, so no reply ever reaches another's caller. When a reply is late, every
call fails at once, without a wait, until all that is owed has come, and when that was so a moment
ago, until an answer was in time again. A connection that owes too long, or whose server is sick,
is broken and made anew.

On one connection everything happens in order. What an old one may still have in the server's
buffers is cut off by `CLIENT KILL` before anything else is said on the new one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from tidegate.core import clock
from tidegate.stores.redis_address import RedisAddress
from tidegate.stores.redis_deadlines import LATE, Deadlines
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
_HANDSHAKE_S: Final = 1.0
_RETRY_S: Final = 0.05
_RETRY_MAX_S: Final = 1.0
_GOOD_AFTER_S: Final = 5.0
_FORGIVEN_S: Final = 1.0
_MAX_PENDING: Final = 20_000
_PING: Final = encode("PING")


class _Wire(asyncio.Protocol):
    """The socket, and one place for each reply that is still to come."""

    def __init__(self, broken: Callable[["_Wire", str], None], heard: Callable[[], None]) -> None:
        self._broken = broken
        self._heard = heard
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
        self._heard()
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
    """Keeps the connection. `on_open` is awaited before anybody else may use one that is new or was
    late.

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
        self._deadlines = Deadlines(deadline_s, self._late)
        self._wire: _Wire | None = None
        self._ready = False
        self._disturbed = asyncio.Event()
        self._client_id: Reply = None
        self.server_run = ""
        self.breaks = 0
        self.timeouts = 0

    @property
    def open(self) -> bool:
        return self._ready

    async def call(self, command: bytes) -> Reply:
        """Its reply within the deadline. Raises RedisUnavailable and RedisRefused."""
        if not self._ready:
            raise RedisAway("Redis is away")
        return await self.ask(command)

    async def ask(self, command: bytes, patience_s: float | None = None) -> Reply:
        """As `call`, and for `on_open` too. With `patience_s` nothing but this call is late."""
        future = self.send(command)
        if patience_s is None:
            self._deadlines.watch(future)
            reply = await future
        else:
            try:
                async with asyncio.timeout(patience_s):
                    reply = await future
            except TimeoutError:
                raise RedisUnavailable(LATE) from None
        if isinstance(reply, RedisRefused):
            raise reply
        return reply

    def send(self, command: bytes) -> asyncio.Future[Reply]:
        """Its reply whenever it comes; RedisUnavailable when the connection breaks before it."""
        if self._wire is None:
            raise RedisAway("Redis is away")
        return self._wire.send(command)

    def _late(self, count: int) -> None:
        self.timeouts += count
        self._ready = False
        self._disturbed.set()

    def _broken(self, wire: _Wire, why: str) -> None:
        if wire is self._wire:
            self._wire = None
            self._ready = False
            self.breaks += 1
            self._disturbed.set()
            log.warning("Redis at %s is away: %s", self._address, why)
        wire.end(f"Redis is away: {why}")

    async def keep(self) -> None:
        """Connects, and connects again; returns never."""
        wait_s = _RETRY_S
        try:
            while True:
                since_s = clock.monotonic_s()
                if await self._connected():
                    log.info("Redis at %s is there", self._address)
                    await self._kept()
                good = clock.monotonic_s() - since_s > _GOOD_AFTER_S
                wait_s = _RETRY_S if good else min(2 * wait_s, _RETRY_MAX_S)
                # Apart from others, who have lost the same server in the same moment.
                await asyncio.sleep(wait_s * (0.5 + clock.random_bytes(1)[0] / 255))
        finally:
            self._ready = False
            wire, self._wire = self._wire, None
            if wire is not None:
                wire.end("this gateway has ended")

    async def _connected(self) -> bool:
        try:
            async with asyncio.timeout(_HANDSHAKE_S):
                await self._connect()
        except (OSError, TimeoutError, RedisUnavailable, RedisRefused) as error:
            self._drop(str(error) or type(error).__name__)
        return self._ready

    async def _kept(self) -> None:
        """Until the connection is lost. Who was late once is forgiven when all that is owed has
        come; who is late again soon has to be in time first."""
        forgiven_s = -_FORGIVEN_S
        while self._wire is not None:
            if self._ready:
                self._disturbed.clear()
                await self._disturbed.wait()
                continue
            try:
                async with asyncio.timeout(_HANDSHAKE_S):
                    await self.send(_PING)  # all that is owed comes before its answer
                    now_s = clock.monotonic_s()
                    if now_s > forgiven_s + _FORGIVEN_S:
                        forgiven_s, self._ready = now_s, self._wire is not None
                    else:
                        await self._open()
            except (TimeoutError, RedisRefused) as error:
                self._drop(str(error) or "it does not answer")
            except RedisUnavailable:  # late again, or lost meanwhile
                await asyncio.sleep(_RETRY_S)

    def _drop(self, why: str) -> None:
        if self._wire is not None:
            self._broken(self._wire, why)

    async def _connect(self) -> None:
        loop, address = asyncio.get_running_loop(), self._address
        make: Callable[[], _Wire] = lambda: _Wire(self._broken, self._deadlines.heard)  # noqa: E731
        if address.path:
            _, self._wire = await loop.create_unix_connection(make, address.path)
        else:
            _, self._wire = await loop.create_connection(
                make, address.host or "localhost", address.port, ssl=address.tls
            )
        await self._greet(address)
        await self._open()

    async def _open(self) -> None:
        await self._on_open(self)
        await self.ask(_PING)  # as quick as a call must be, or it is not open
        self._ready = self._wire is not None

    async def _greet(self, address: RedisAddress) -> None:
        if address.password is not None:
            who = [address.user] if address.user else []
            await self.ask(encode("AUTH", *who, address.password.reveal()), _HANDSHAKE_S)
        if address.database:
            await self.ask(encode("SELECT", address.database), _HANDSHAKE_S)
        run = _run_id(await self.ask(encode("INFO", "server"), _HANDSHAKE_S))
        if not run:
            raise RedisRefused("INFO names no run_id, so a server started anew could not be told")
        if run == self.server_run and self._client_id is not None:
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
