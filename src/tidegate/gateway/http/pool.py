"""Connections to one origin: kept alive, bounded, handed to one exchange at a time."""

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.plan import Replica
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.egress import Proxy, tunnel

# Below the 5 s after which common engine servers (uvicorn) close an idle connection, so that a
# request seldom meets a connection that is just being closed.
IDLE_S = 4.0
# How long the tail of an answer may take whose content has ended.
TAIL_S = 2.0
MAX_WAITERS = 4096


class PoolFull(Exception):
    """Every connection was in use for as long as one was waited for."""


class Way(Struct, frozen=True):
    """How to reach a replica: TLS context when it is https, proxy when the environment has one."""

    replica: Replica
    context: ssl.SSLContext | None
    server_name: str
    proxy: Proxy | None


class Taken(Struct):
    """A connection for one exchange, and what it took to get it."""

    upstream: Upstream
    reused: bool
    queue_s: float
    connect_s: float


class Pool:
    """Connections to one replica, at most `max_connections` at a time.

    `open` counts connections and those being opened; a slot is given back once, by the end of
    the connection or by the failure to open it. `make` makes a connection that is not open yet.
    """

    def __init__(
        self, way: Way, max_connections: int, make: Callable[["Pool"], Upstream] = Upstream
    ) -> None:
        self.way = way
        self._make = make
        self.max_connections = max_connections
        self.open = 0
        self._closed = False
        self._idle: deque[Upstream] = deque()
        self._ending: dict[Upstream, float] = {}
        self._waiters: deque[asyncio.Future[Upstream | None]] = deque()

    @property
    def in_flight(self) -> int:
        return self.open - len(self._idle)

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    async def take(self, connect_s: float) -> Taken:
        """A connection when none is idle; it comes back by its own `release` or `close`.

        OSError, ssl.SSLError or TimeoutError when no connection comes about within `connect_s`
        seconds, PoolFull when none became free. A cancelled taker leaves nothing behind.
        """
        started_s = clock.monotonic_s()
        queue_s = 0.0
        waits = self.open >= self.max_connections
        try:
            async with asyncio.timeout(connect_s):
                if waits:
                    upstream = await self._wait_turn()
                    queue_s = clock.monotonic_s() - started_s
                    if upstream is not None:
                        return Taken(upstream, True, queue_s, 0.0)
                    waits = False
                else:
                    self.open += 1
                upstream = await self._connect()
        except TimeoutError:
            if waits:
                raise PoolFull from None
            raise
        return Taken(upstream, False, queue_s, clock.monotonic_s() - started_s - queue_s)

    def take_idle(self) -> Upstream | None:
        """A connection that is at hand, if one is."""
        while self._idle:
            upstream = self._idle.pop()
            if upstream.usable:
                return upstream
        return None

    async def _wait_turn(self) -> Upstream | None:
        """Waits for a connection, or for None: a slot, already counted, to open one."""
        if len(self._waiters) >= MAX_WAITERS:
            raise PoolFull
        waiter: asyncio.Future[Upstream | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with contextlib.suppress(ValueError):
                    self._waiters.remove(waiter)
            elif waiter.done():
                handed = waiter.result()
                if handed is None:
                    self._free_slot()
                elif handed.usable:  # otherwise its end is on the way and frees the slot
                    self.give_back(handed)
            raise

    async def _connect(self) -> Upstream:
        """Opens a connection in a slot that is already counted."""
        way = self.way
        upstream = self._make(self)
        connected = False
        try:
            if way.proxy is not None and way.context is not None:
                await tunnel(upstream, way.replica, way.context, way.proxy, way.server_name)
            else:
                at = way.proxy or way.replica
                await asyncio.get_running_loop().create_connection(
                    lambda: upstream,
                    at.host,
                    at.port,
                    ssl=way.context,
                    server_hostname=way.server_name if way.context is not None else None,
                )
            connected = True
        finally:
            if not connected:
                upstream.close()
                self.gone(upstream)  # uvloop need not say so of what it gives up in between
        return upstream

    def _hand_over(self, what: Upstream | None) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(what)
                return True
        return False

    def _free_slot(self) -> None:
        if not self._hand_over(None):
            self.open -= 1

    # a connection calls these

    def give_back(self, upstream: Upstream) -> None:
        if self._ending:
            self._ending.pop(upstream, None)
        if self._waiters and self._hand_over(upstream):
            return
        if self._closed:
            upstream.close()
            return
        upstream.idle_since_s = clock.monotonic_s()
        self._idle.append(upstream)

    def ending(self, upstream: Upstream) -> None:
        if self._closed:
            upstream.close()  # nobody sweeps here any more, and nobody will take it
            return
        self._ending[upstream] = clock.monotonic_s()

    def gone(self, upstream: Upstream) -> None:
        """Its end, or that of the attempt to open it; told of both, it counts once."""
        if not upstream.holds_slot:
            return
        upstream.holds_slot = False
        self._ending.pop(upstream, None)
        with contextlib.suppress(ValueError):
            self._idle.remove(upstream)
        self._free_slot()

    # the sweeper and a new plan call these

    def sweep(self, now_s: float) -> None:
        """Closes connections that have idled too long, the oldest first, and unending answers."""
        for upstream, since_s in list(self._ending.items()):
            if now_s - since_s > TAIL_S:
                upstream.close()
        while self._idle and now_s - self._idle[0].idle_since_s > IDLE_S:
            self._idle.popleft().close()

    def close(self) -> None:
        """Closes what is in no exchange; what is in one ends with it. No more is to be taken, and
        nothing is left to sweep."""
        self._closed = True
        for upstream in list(self._ending):
            upstream.close()
        while self._idle:
            self._idle.popleft().close()
