"""One client connection: bytes in, whole requests out; answers in, bytes out.

The protocol never waits. It parses, bounds and queues; one coroutine a connection takes the
requests in order and answers them one at a time. While a request is in work the socket is still
read, because that is how a leaving client shows; what arrives early is kept up to a bound.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import httptools

from tidegate.core import clock
from tidegate.core.outcome import Refusal
from tidegate.core.plan import HttpBounds
from tidegate.gateway.http import answers, strict

MAX_QUEUED_REQUESTS = 16
MAX_EARLY_BYTES = 64 * 1024
WRITE_BUFFER_BYTES = 64 * 1024
# Below this a body is a slow-loris however long its sender goes on.
MIN_BODY_BYTES_PER_S = 8 * 1024
LINGER_S = 2.0


class Incoming:
    """One whole request. `received_s` is the monotonic time of its first byte."""

    __slots__ = (
        "body",
        "headers",
        "http_minor",
        "keep_alive",
        "method",
        "path",
        "query",
        "received_s",
    )

    def __init__(self, received_s: float) -> None:
        self.received_s = received_s
        self.method = b""
        self.path = b""
        self.query = b""
        self.headers: strict.Headers = {}
        self.body = b""
        self.keep_alive = True
        self.http_minor = 1


class Source(Protocol):
    """What feeds a streamed answer and can be told to wait."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Listener(Protocol):
    """What a connection needs of the server that it belongs to."""

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
    """A client's connection and, at the same time, the way to answer its request in work."""

    __slots__ = (
        "_body_parts",
        "_chunk_count",
        "_early",
        "_framing_bytes",
        "_head_bytes",
        "_host_seen",
        "_incoming",
        "_listener",
        "_parser",
        "_queue",
        "_seen_s",
        "_target",
        "_task",
        "_waiter",
        "answer",
        "body_bytes",
        "chunked",
        "close_after",
        "framed",
        "in_work",
        "lost",
        "paused_s",
        "peer",
        "phase",
        "phase_s",
        "source",
        "started",
        "transport",
    )

    def __init__(self, listener: Listener, answer: Answer) -> None:
        self._listener = listener
        self.answer = answer
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.peer = ""
        self.lost = False
        self.in_work: Incoming | None = None
        self.started = False
        self.close_after = False
        self.framed = True
        self.source: Source | None = None
        self.paused_s: float | None = None
        self.phase = "idle"
        self.phase_s = 0.0
        self.body_bytes = 0
        self.chunked = False
        self._queue: deque[Incoming] = deque()
        self._early = b""
        self._waiter: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._host_seen: bytes | None = None
        self._incoming: Incoming | None = None
        self._body_parts: list[bytes] = []
        self._target = b""
        self._head_bytes = 0
        self._framing_bytes = 0
        self._chunk_count = 0
        self._seen_s = 0.0
        self._parser = httptools.HttpRequestParser(self)

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self.phase_s = clock.monotonic_s()
        if not self._listener.opened(self):
            self.lost = True
            self.transport.write(answers.TOO_MANY_CONNECTIONS)
            self.transport.abort()
            return
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # a reset and a close mean the same here: the client is gone
        self.lost = True
        self.source = None
        if self._task is not None:
            self._listener.closed(self)
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
        if self.lost or self.phase == "refused":
            return
        if self.in_work is not None or self._queue:
            self._keep_early(data)
            return
        self._feed(data)

    def _keep_early(self, data: bytes) -> None:
        self._early += data
        if len(self._early) > MAX_EARLY_BYTES:
            self.transport.pause_reading()

    def _feed(self, data: bytes) -> None:
        self._seen_s = clock.monotonic_s()
        try:
            if self._incoming is not None and self.phase == "head":
                self._bound_head(len(data))
            framing_before = self.body_bytes
            chunked_before = self.chunked
            self._parser.feed_data(data)
            if self._incoming is not None:
                self._bound_unfinished(data, framing_before, chunked_before)
        except Refusal as refusal:
            self._refuse(refusal)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if isinstance(cause, Refusal):
                self._refuse(cause)
            else:
                raise
        except httptools.HttpParserUpgrade:
            self._refuse(Refusal("invalid_http", "no protocol upgrade is offered here"))
        except httptools.HttpParserError as error:
            self._refuse(Refusal("invalid_http", f"the request is not HTTP/1.1: {error}"))

    def _bound_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > strict.MAX_HEAD_BYTES + strict.MAX_TARGET_BYTES:
            raise Refusal("headers_too_large", f"the head exceeds {strict.MAX_HEAD_BYTES} bytes")

    def _bound_unfinished(self, data: bytes, body_before: int, chunked_before: bool) -> None:
        """Bounds what the parser took of a request that is not whole yet."""
        if self.phase == "head":
            if self._head_bytes == 0:
                self._bound_head(len(data))
        elif self.chunked:
            if not chunked_before:
                data = data[data.find(b"\r\n\r\n") + 4 :]
                body_before = 0
            self._framing_bytes += len(data) - (self.body_bytes - body_before)
            allowed = strict.CHUNK_FRAMING_BYTES * (self._chunk_count + 1)
            if self._framing_bytes > allowed + strict.MAX_CHUNK_EXTENSION_BYTES:
                raise Refusal("invalid_http", "the chunk extensions are too long")

    # httptools calls these

    def on_message_begin(self) -> None:
        if len(self._queue) >= MAX_QUEUED_REQUESTS:
            raise Refusal("invalid_http", "too many pipelined requests")
        self._incoming = Incoming(self._seen_s)
        self._target = b""
        self._body_parts = []
        self._head_bytes = 0
        self._framing_bytes = 0
        self._chunk_count = 0
        self.body_bytes = 0
        self.chunked = False
        self.phase = "head"
        self.phase_s = self._seen_s

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > strict.MAX_TARGET_BYTES:
            raise Refusal("uri_too_long", "the request target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase != "head":
            raise Refusal("invalid_http", "trailers are not accepted")
        if not name or len(name) + len(value) > strict.MAX_HEAD_BYTES:
            raise Refusal("headers_too_large", "a header is empty or too long")
        strict.add_header(self._incoming.headers, name, value)  # type: ignore[union-attr]

    def on_headers_complete(self) -> None:
        incoming = self._incoming
        assert incoming is not None  # noqa: S101 - the parser's order of calls
        headers = incoming.headers
        parser = self._parser
        minor = incoming.http_minor = 1 if parser.get_http_version() == "1.1" else 0
        self._host_seen = strict.check_head(headers, minor, self._host_seen)
        incoming.method = parser.get_method()
        incoming.path, incoming.query = strict.split_target(self._target, self._host_seen)
        incoming.keep_alive = parser.should_keep_alive()
        self.chunked = b"transfer-encoding" in headers
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._listener.bounds.max_body_bytes:
            raise _body_too_large(self._listener.bounds)
        expect = headers.get(b"expect")
        if expect is not None:
            if expect.lower() != b"100-continue":
                raise Refusal("invalid_http", "the only expectation known is 100-continue")
            if minor == 1 and (self.chunked or length is not None):
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.phase = "body"

    def on_chunk_header(self) -> None:
        self._chunk_count += 1

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.body_bytes > self._listener.bounds.max_body_bytes:
            raise _body_too_large(self._listener.bounds)
        self._body_parts.append(body)

    def on_message_complete(self) -> None:
        incoming = self._incoming
        assert incoming is not None  # noqa: S101 - the parser's order of calls
        parts = self._body_parts
        incoming.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._incoming = None
        self._body_parts = []
        self.phase = "work"
        self._queue.append(incoming)
        if self.in_work is None:
            self._wake()

    # the connection's own coroutine

    async def _serve(self) -> None:
        try:
            while True:
                incoming = await self._next()
                await self.answer(incoming, self)
                while self.in_work is not None:  # its last bytes wait for the journal
                    await self._wait()
                if self.close_after:
                    self._close()
                    return
        except asyncio.CancelledError:
            if not self.lost:
                raise
        except Exception:
            # The stages answer for their own faults; what comes here is a defect of ours.
            self.transport.abort()
            raise

    async def _next(self) -> Incoming:
        while not self._queue:
            if self._early:
                early, self._early = self._early, b""
                self.transport.resume_reading()
                self._feed(early)
            else:
                self.phase_s = clock.monotonic_s()
                if self.phase == "work":
                    self.phase = "idle"
                if self._listener.draining and self.phase == "idle":
                    self._close()
                await self._wait()
        incoming = self._queue.popleft()
        self.in_work = incoming
        self.started = False
        self.close_after = not incoming.keep_alive or self._listener.draining
        return incoming

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # answering

    def send(self, head: bytes, body: bytes) -> None:
        """A whole answer. `head` is the status line and headers without framing and blank line."""
        if not self.lost:
            size = len(body)
            if self.in_work is not None and self.in_work.method == b"HEAD":
                body = b""
            self.transport.write(
                b"%b%bcontent-length: %d\r\n%b\r\n%b"
                % (head, self._listener.date, size, self._persistence(), body)
            )
        self._answered()

    def start(self, head: bytes, first: bytes) -> None:
        """Begins a streamed answer with its first bytes."""
        self.started = True
        if self.in_work is not None and self.in_work.http_minor == 0:
            self.close_after = True  # before chunks, the end of the connection ended a body
            self.framed = False
        else:
            self.framed = True
            head += b"transfer-encoding: chunked\r\n"
        if not self.lost:
            self.transport.write(
                b"%b%b%b\r\n%b"
                % (
                    head,
                    self._listener.date,
                    self._persistence(),
                    self._frame(first) if first else b"",  # an empty chunk would be the end
                )
            )

    def write(self, data: bytes) -> None:
        """Goes on with a streamed answer. `data` must not be empty."""
        if not self.lost:
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self.framed else data)

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

    def abort(self) -> None:
        """Drops the connection at once."""
        self.transport.abort()

    def _frame(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.framed else data

    def _persistence(self) -> bytes:
        if self.close_after:
            return b"connection: close\r\n"
        if self.in_work is not None and self.in_work.http_minor == 0:
            return b"connection: keep-alive\r\n"
        return b""

    def _answered(self) -> None:
        self.in_work = None
        self.source = None
        self._wake()

    def _close(self) -> None:
        self.phase = "closing"
        self.phase_s = clock.monotonic_s()
        self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Says no to what is no proper request, and closes: its end cannot be known.

        The socket is read on for a moment, so that a client that is still sending gets to see
        our answer and not a reset.
        """
        self.phase = "refused"
        self.phase_s = clock.monotonic_s()
        self._listener.refused(refusal.code.name)
        self._incoming = None
        self._body_parts = []
        self.close_after = True
        if self.in_work is None and not self._queue:
            self.transport.write(answers.bare_refusal(refusal))
            if self.transport.can_write_eof():
                self.transport.write_eof()
            else:
                self._close()

    # the sweeper calls this

    def sweep(self, now_s: float) -> None:
        """Ends what takes too long: a head, a body, a reader that does not read, idleness."""
        bounds = self._listener.bounds
        waited_s = now_s - self.phase_s
        if self.paused_s is not None and now_s - self.paused_s > bounds.write_timeout_s:
            self.transport.abort()
        elif self.in_work is not None:
            return  # the request's own deadlines hold
        elif self.phase == "closing":
            if waited_s > bounds.write_timeout_s:
                self.transport.abort()
        elif self.phase == "refused":
            if waited_s > LINGER_S:
                self.transport.abort()
        elif self.phase == "head":
            if waited_s > bounds.header_timeout_s:
                self._refuse(Refusal("request_timeout", "the request's head took too long"))
        elif self.phase == "body":
            if waited_s > bounds.body_timeout_s + self.body_bytes / MIN_BODY_BYTES_PER_S:
                self._refuse(Refusal("request_timeout", "the request's body took too long"))
        elif self.phase == "idle" and (self._listener.draining or waited_s > bounds.idle_timeout_s):
            self._close()


def _body_too_large(bounds: HttpBounds) -> Refusal:
    return Refusal("body_too_large", f"the body exceeds {bounds.max_body_bytes} bytes")
