"""One client connection: whole requests go up, and are answered as `answering.py` has it.

The protocol never waits. One coroutine a connection takes the requests in order and answers them
one at a time. While a request is in work the socket is still read, because that is how a leaving
client shows; what arrives early is kept up to a bound.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from tidegate.core import clock
from tidegate.core.outcome import Refusal
from tidegate.core.plan import HttpBounds
from tidegate.gateway.http import answers
from tidegate.gateway.http.answering import Answering, Dated
from tidegate.gateway.http.reader import Head, Incoming, RequestReader
from tidegate.gateway.http.spools import Spools

MAX_EARLY_BYTES = 64 * 1024
WRITE_BUFFER_BYTES = 64 * 1024
# Below this a body is a slow-loris however long its sender goes on.
MIN_BODY_BYTES_PER_S = 8 * 1024
LINGER_S = 2.0
# While we drain: whoever has just connected, or got an answer, may have a request on the way.
DRAIN_LINGER_S = 0.5


class Owner(Dated, Protocol):
    """What a connection needs of the listener that it belongs to."""

    bounds: HttpBounds
    draining: bool
    spools: Spools | None

    def opened(self, connection: "Connection") -> bool:
        """False when there are too many connections; the new one is then refused."""

    def closed(self, connection: "Connection") -> None: ...

    def refused(self, code: str) -> None:
        """Counts a refusal that no receipt will tell of."""


Answer = Callable[[Incoming, "Connection"], Awaitable[None]]


class Connection(Answering):
    """A client's connection and, at the same time, the way to answer its request in work."""

    __slots__ = ("_answer", "_asking", "_early", "_loop", "_reader", "_task", "_waiter", "peer")

    _owner: Owner

    def __init__(self, owner: Owner, answer: Answer) -> None:
        super().__init__(owner)
        self._answer = answer
        self._reader = RequestReader(owner.bounds.max_body_bytes, owner.spools)
        self._early = b""
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self.peer = ""

    @property
    def busy(self) -> bool:
        """A request is in work, or on its way in."""
        return self.in_work is not None or self._reader.phase != "idle"

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        if not self._owner.opened(self):
            self.lost = True
            self.transport.write(answers.TOO_MANY_CONNECTIONS)
            self.transport.close()
            return
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._task = self._loop.create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # a reset and a close mean the same here: the client is gone
        self.lost = True
        self.source = None
        self._reader.close()
        if self._asking is not None:
            self._asking.cancel()
        if self._task is not None:
            self._owner.closed(self)
            self._task.cancel()

    def eof_received(self) -> bool:
        # A client that has shut its sending side is taken to be gone, as nginx does.
        return False

    def data_received(self, data: bytes) -> None:
        if self.lost or self.state != "open":
            return
        if self.in_work is not None or self._reader.whole:
            self._early += data
            if len(self._early) > MAX_EARLY_BYTES:
                self.transport.pause_reading()
            return
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.feed(data, clock.monotonic_s())
        except Refusal as refusal:
            self._refuse(refusal)
            return
        if reader.asks is not None and self._asking is None:
            self.transport.pause_reading()
            self._asking = self._loop.create_task(self._ask_leave(reader.asks))
        if reader.whole:
            self._wake()
        elif reader.expects_continue and reader.asks is None:
            self._allow_body()

    async def _ask_leave(self, head: Head) -> None:
        """Asks whether the body behind this head may come, of which nothing is read meanwhile."""
        spools, reader = self._owner.spools, self._reader
        assert spools is not None and spools.leave is not None  # noqa: S101 - it asks
        try:
            reader.grant(await spools.leave(head))
            if reader.expects_continue and self.in_work is None and not reader.whole:
                self._allow_body()
        except Refusal as refusal:
            self._refuse(refusal)
        except Exception:
            self.transport.abort()
            raise
        finally:
            self._asking = None
            if not self.lost:
                self.transport.resume_reading()

    def _allow_body(self) -> None:
        self._reader.expects_continue = False
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # the connection's own coroutine

    async def _serve(self) -> None:
        try:
            while True:
                incoming = self._next()
                if incoming is not None:
                    await self._answer(incoming, self)
                elif self.close_after and self.in_work is None:
                    self._close()
                    return
                else:
                    waiter = self._waiter = self._loop.create_future()
                    await waiter
        except asyncio.CancelledError:
            if not self.lost:
                raise
        except Exception:
            # The stages answer for their own faults; what comes here is a defect of ours.
            self.transport.abort()
            raise

    def _next(self) -> Incoming | None:
        """The next request, if it is there and the last one has been answered.

        An answer's last bytes may wait for the journal after its coroutine is done.
        """
        if self.in_work is not None or self.close_after:
            return None
        reader = self._reader
        if self._early and not reader.whole:
            early, self._early = self._early, b""
            self.transport.resume_reading()
            reader.phase_s = clock.monotonic_s()
            self._feed(early)
        if reader.whole:
            return self._take()
        if reader.expects_continue and reader.asks is None and not self.close_after:
            self._allow_body()  # its turn has come: what was before it is answered
        return None

    def _take(self) -> Incoming:
        incoming = self._reader.whole.popleft()
        self.in_work = incoming
        refused = self.state != "open" and not self._reader.whole
        self.close_after = not incoming.head.keep_alive or self._owner.draining or refused
        return incoming

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            self._waiter = None
            waiter.set_result(None)

    def _answered(self) -> None:
        self.in_work = None
        self.source = None
        self.idle_s = clock.monotonic_s()
        reader = self._reader
        if self.close_after or self._early or reader.whole or reader.expects_continue:
            self._wake()

    def _refuse(self, refusal: Refusal) -> None:
        """Says no to what is no proper request, and closes: its end cannot be known."""
        self._enter("refused")
        self._owner.refused(refusal.code.name)
        if self.in_work is None and not self._reader.whole:
            self.close_after = True
            self.transport.write(answers.bare_refusal(refusal))
            if self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self._close()
        else:
            self._wake()  # what came whole before it is still answered

    # the listener calls these

    def bound_bodies(self, max_body_bytes: int) -> None:
        """Requests that have not begun obey this bound."""
        self._reader.max_body_bytes = max_body_bytes

    def sweep(self, now_s: float) -> None:
        """Ends what takes too long: a head, a body, a reader that does not read, idleness."""
        bounds, reader = self._owner.bounds, self._reader
        if self.paused_s is not None and now_s - self.paused_s > bounds.write_timeout_s:
            self.transport.abort()
        elif self.in_work is not None:
            return  # the request's own deadlines hold
        elif self.state != "open":
            grace_s = LINGER_S if self.state == "refused" else bounds.write_timeout_s
            if now_s - self.state_s > grace_s:
                self.transport.abort()
        elif reader.phase == "idle":
            allowed_s = DRAIN_LINGER_S if self._owner.draining else bounds.idle_timeout_s
            if now_s - self.idle_s > allowed_s:
                self._close()
        elif reader.phase == "head":
            if now_s - reader.phase_s > bounds.header_timeout_s:
                self._refuse(Refusal("request_timeout", "the request's head took too long"))
        else:
            allowed_s = bounds.body_timeout_s + reader.body_bytes / MIN_BODY_BYTES_PER_S
            if now_s - reader.phase_s > allowed_s:
                self._refuse(Refusal("request_timeout", "the request's body took too long"))
