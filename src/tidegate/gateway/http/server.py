"""One client connection: whole requests go up, answers come down.

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
from tidegate.gateway.http.reader import Incoming, RequestReader

MAX_EARLY_BYTES = 64 * 1024
WRITE_BUFFER_BYTES = 64 * 1024
# Below this a body is a slow-loris however long its sender goes on.
MIN_BODY_BYTES_PER_S = 8 * 1024
LINGER_S = 2.0
# While we drain: whoever has just connected, or got an answer, may have a request on the way.
DRAIN_LINGER_S = 0.5


class Source(Protocol):
    """What feeds a streamed answer and can be told to wait."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Owner(Protocol):
    """What a connection needs of the listener that it belongs to."""

    bounds: HttpBounds
    draining: bool
    date: bytes

    def opened(self, connection: "Connection") -> bool:
        """False when there are too many connections; the new one is then refused."""

    def closed(self, connection: "Connection") -> None: ...

    def refused(self, code: str) -> None:
        """Counts a refusal that no receipt will tell of."""


Answer = Callable[[Incoming, "Connection"], Awaitable[None]]


class Connection(asyncio.Protocol):
    """A client's connection and, at the same time, the way to answer its request in work.

    `state`: `open`; `refused` (told no, reading on for a moment so that it sees our answer);
    `closing` (last bytes are on the way).
    """

    __slots__ = (
        "_answer",
        "_early",
        "_loop",
        "_owner",
        "_reader",
        "_task",
        "_waiter",
        "close_after",
        "framed",
        "idle_s",
        "in_work",
        "lost",
        "paused_s",
        "peer",
        "source",
        "state",
        "state_s",
        "transport",
    )

    def __init__(self, owner: Owner, answer: Answer) -> None:
        self._owner = owner
        self._answer = answer
        self._reader = RequestReader(owner.bounds.max_body_bytes)
        self._early = b""
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.peer = ""
        self.lost = False
        self.state = "open"
        self.state_s = self.idle_s = clock.monotonic_s()
        self.in_work: Incoming | None = None
        self.close_after = False
        self.framed = True
        self.source: Source | None = None
        self.paused_s: float | None = None

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
        if self._task is not None:
            self._owner.closed(self)
            self._task.cancel()

    def eof_received(self) -> bool:
        # A client that has shut its sending side is taken to be gone, as nginx does.
        return False

    def pause_writing(self) -> None:
        self.paused_s = clock.monotonic_s()
        if self.source is not None:
            self.source.pause()

    def resume_writing(self) -> None:
        self.paused_s = None
        if self.source is not None:
            self.source.resume()

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
        if reader.whole:
            self._wake()
        elif reader.expects_continue:
            self._allow_body()

    def _allow_body(self) -> None:
        self._reader.expects_continue = False
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # the connection's own coroutine

    async def _serve(self) -> None:
        try:
            while True:
                incoming = await self._next()
                if incoming is None:
                    return
                await self._answer(incoming, self)
        except asyncio.CancelledError:
            if not self.lost:
                raise
        except Exception:
            # The stages answer for their own faults; what comes here is a defect of ours.
            self.transport.abort()
            raise

    async def _next(self) -> Incoming | None:
        """The next request, once the last one has been answered; None when it was the last.

        An answer's last bytes may wait for the journal after its coroutine is done.
        """
        reader = self._reader
        while True:
            if self.in_work is None:
                if self.close_after:
                    self._close()
                    return None
                if reader.whole:
                    return self._take()
                if self._early:
                    early, self._early = self._early, b""
                    self.transport.resume_reading()
                    reader.phase_s = clock.monotonic_s()
                    self._feed(early)
                    continue
                if reader.expects_continue:  # its turn has come: what was before it is answered
                    self._allow_body()
            waiter = self._waiter = self._loop.create_future()
            await waiter

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

    # answering

    def send(self, head: bytes, body: bytes) -> None:
        """A whole answer. `head` is the status line and headers without framing and blank line."""
        if not self.lost:
            size = len(body)
            if self.in_work is not None and self.in_work.head.method == b"HEAD":
                body = b""
            self.transport.write(
                b"%b%bcontent-length: %d\r\n%b\r\n%b"
                % (head, self._owner.date, size, self._persistence(), body)
            )
        self._answered()

    def start(self, head: bytes, first: bytes) -> None:
        """Begins a streamed answer with its first bytes."""
        if self.in_work is not None and self.in_work.head.http_minor == 0:
            self.close_after = True  # before chunks, the end of the connection ended a body
            self.framed = False
        else:
            self.framed = True
            head += b"transfer-encoding: chunked\r\n"
        if not self.lost:
            body = self._frame(first) if first else b""  # an empty chunk would be the end
            self.transport.write(
                b"%b%b%b\r\n%b" % (head, self._owner.date, self._persistence(), body)
            )

    def write(self, data: bytes) -> None:
        """Goes on with a streamed answer. `data` must not be empty."""
        if not self.lost:
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self.framed else data)

    def write_chunk(self, chunk: bytes, data: bytes) -> None:
        """The same as `write(data)`, for data that is in chunked framing already."""
        if not self.lost:
            self.transport.write(chunk if self.framed else data)

    def finish(self, last: bytes) -> None:
        """Ends a streamed answer, with its last bytes in the same write."""
        if not self.lost:
            end = self._frame(last) if last else b""
            self.transport.write(end + b"0\r\n\r\n" if self.framed else end)
        self._answered()

    def cut(self, last: bytes) -> None:
        """Ends a streamed answer that failed: last bytes, then a close without a proper end."""
        self.close_after = True
        if not self.lost:
            if last:
                self.transport.write(self._frame(last))
            self._close()
        self._answered()

    def write_raw(self, data: bytes) -> None:
        """Bytes as they are, past all framing: for a rig that plays a broken server."""
        if not self.lost:
            self.transport.write(data)

    def abort(self) -> None:
        """Drops the connection at once."""
        self.transport.abort()

    def _frame(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.framed else data

    def _persistence(self) -> bytes:
        if self.close_after:
            return b"connection: close\r\n"
        if self.in_work is not None and self.in_work.head.http_minor == 0:
            return b"connection: keep-alive\r\n"
        return b""

    def _answered(self) -> None:
        self.in_work = None
        self.source = None
        self.idle_s = clock.monotonic_s()
        reader = self._reader
        if self.close_after or self._early or reader.whole or reader.expects_continue:
            self._wake()

    def _enter(self, state: str) -> None:
        self.state = state
        self.state_s = clock.monotonic_s()

    def _close(self) -> None:
        self._enter("closing")
        self.transport.close()

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

    # the sweeper calls this

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
