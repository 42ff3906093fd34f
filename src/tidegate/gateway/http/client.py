"""One connection to a provider: a request out, one answer in, and back to its pool.

An answer that is a stream is handed to a Sink read by read, as the bytes that came; any other
answer is gathered whole, within a bound, before its waiter wakes.
"""

import asyncio
from typing import Protocol

import httptools

from tidegate.core import clock

MAX_HEADERS = 200
MAX_SIZE_DIGITS = 8
MAX_HEADER_BYTES = 64 * 1024
# Bytes that may come without one of the body among them: heads, interim answers, chunk lines.
MAX_BARREN_BYTES = 2 * MAX_HEADER_BYTES
# What may still come of an answer whose content has ended, before the connection is not worth it.
MAX_TAIL_BYTES = 64 * 1024


class UpstreamError(Exception):
    """The exchange failed. `clean` says that not one byte of an answer had come.

    `kind` is `lost` (the connection ended), `malformed` (not HTTP), `too_large`, `deadline`, or
    `draining` (we end it because the gateway shuts down).
    """

    def __init__(self, kind: str, message: str, *, clean: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.clean = clean


class Sink(Protocol):
    """Takes a streamed answer. Called from the event loop's read, so it must not wait."""

    def on_data(self, data: bytes, chunk: bytes | None) -> None:
        """`chunk` is the same data in chunked framing, when it came in just one chunk."""

    def on_end(self) -> None:
        """The answer's HTTP end has come."""

    def on_lost(self, error: UpstreamError) -> None: ...


class Home(Protocol):
    """The pool that a connection goes back to."""

    def give_back(self, upstream: "Upstream") -> None: ...

    def ending(self, upstream: "Upstream") -> None:
        """Its exchange is over, but the tail of its answer has not come yet."""

    def gone(self, upstream: "Upstream") -> None: ...


class Upstream(asyncio.Protocol):
    """A connection. In one exchange at a time: `send`, `answered`, then `release` or `close`."""

    __slots__ = (
        "_barren_bytes",
        "_between_chunks",
        "_closed",
        "_complete",
        "_error",
        "_header_bytes",
        "_home",
        "_in_exchange",
        "_keep_alive",
        "_loop",
        "_max_bytes",
        "_parser",
        "_parts",
        "_reading",
        "_released",
        "_sink",
        "_waiter",
        "body_bytes",
        "headers",
        "holds_slot",
        "idle_since_s",
        "made",
        "resumed_s",
        "status",
        "streaming",
        "transport",
        "uses",
    )

    def __init__(self, home: Home) -> None:
        self._home = home
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.made = False
        self.resumed_s = 0.0
        self.holds_slot = True
        self.uses = 0
        self.idle_since_s = 0.0
        self._closed = False
        self._in_exchange = False
        self._waiter: asyncio.Future[None] | None = None
        self._reading = True
        self._parser = httptools.HttpResponseParser(self)
        self._begin(0)
        self._in_exchange = False

    def _begin(self, max_bytes: int) -> None:
        self._in_exchange = True
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._sink: Sink | None = None
        self._complete = False
        self._keep_alive = False
        self._released = False
        self._error: UpstreamError | None = None
        self._header_bytes = 0
        self._barren_bytes = 0
        self._between_chunks = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body_bytes = 0
        self.streaming = False

    @property
    def usable(self) -> bool:
        return not self._closed and not self.transport.is_closing()

    @property
    def paused(self) -> bool:
        return not self._reading

    def send(self, request: bytes, max_bytes: int) -> None:
        """Sends a request. `max_bytes` bounds an answer that is gathered whole."""
        self._begin(max_bytes)
        self.uses += 1
        self.transport.write(request)

    def answered(self) -> "asyncio.Future[None]":
        """Done with the head of a stream or the whole of any other answer, or an UpstreamError."""
        waiter = self._waiter = self._loop.create_future()
        if self._closed:
            waiter.set_exception(UpstreamError("lost", "the connection was closed", clean=True))
        return waiter

    def body(self) -> bytes:
        """The gathered body of an answer that is not a stream."""
        parts = self._parts
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def relay(self, sink: Sink) -> None:
        """Hands what has come of the stream, and all that comes, to `sink`."""
        self._sink = sink
        self._deliver()
        if self._error is not None and self._sink is sink:
            self._sink = None
            sink.on_lost(self._error)

    def pause(self) -> None:
        if self._reading and self.usable:
            self._reading = False
            self.transport.pause_reading()

    def resume(self) -> None:
        if not self._reading and self.usable:
            self._reading = True
            self.resumed_s = clock.monotonic_s()
            self.transport.resume_reading()

    def release(self) -> None:
        """The exchange is over; the connection goes back when the answer's tail has come."""
        self._sink = None
        self._released = True
        self.resume()
        if self._complete:
            self._go_home()
        elif self.usable:
            self._max_bytes = self.body_bytes + MAX_TAIL_BYTES
            self._home.ending(self)

    def close(self) -> None:
        """Drops the connection at once: the provider sees it and stops its work."""
        self._sink = None
        self._closed = True
        if self.made:
            self.transport.abort()

    def fail(self, error: UpstreamError) -> None:
        """Ends the exchange with `error` and drops the connection."""
        sink, self._sink = self._sink, None
        waiter = self._waiter
        self._error = error
        self.close()
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        elif sink is not None:
            sink.on_lost(error)

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.made = True
        if self._closed:
            self.transport.abort()  # whoever wanted it has given up

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._home.gone(self)
        if not self._in_exchange or self._complete:
            return
        if exc is None and self.status and not self._bounded_by_framing():
            self._complete = True  # without a length, the end of the connection ends the body
            self._deliver()
            return
        reason = "reset the connection" if exc is not None else "closed the connection"
        self.fail(UpstreamError("lost", f"the provider {reason}", clean=not self.status))

    def data_received(self, data: bytes) -> None:
        if not self._in_exchange or self._complete:
            self.close()  # nobody asked: a connection in this state can be trusted with nothing
            return
        sink = self._sink
        if self._between_chunks and sink is not None:
            # Exactly one chunk in its plainest form: the parser, which stands between two
            # chunks, need not see it.
            end = data.find(b"\r\n", 1, MAX_SIZE_DIGITS + 2)
            size = len(data) - end - 4
            if (
                size > 0
                and data[:end].lstrip(b"0").lower() == b"%x" % size
                and data.endswith(b"\r\n")
            ):
                self.body_bytes += size
                sink.on_data(data[end + 2 : -2], data)
                return
        self._barren_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, UpstreamError):
                raise
            self.fail(cause)
            return
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(UpstreamError("malformed", f"the answer is not HTTP: {error}"))
            return
        if self._between_chunks and not data.endswith(b"\r\n"):
            self._between_chunks = False  # the next chunk's size line has begun
        if self._barren_bytes > MAX_BARREN_BYTES:
            self.fail(UpstreamError("too_large", "the answer's head is too large"))
            return
        self._deliver()

    def _deliver(self) -> None:
        sink = self._sink
        if sink is not None:
            if self._parts:
                parts = self._parts
                self._parts = []
                sink.on_data(parts[0] if len(parts) == 1 else b"".join(parts), None)
            if self._complete and self._sink is sink:
                sink.on_end()
        elif self._released:
            self._parts.clear()
            if self._complete:
                self._go_home()
        elif self._complete or self.streaming:
            waiter = self._waiter
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _go_home(self) -> None:
        self._in_exchange = False
        if self._keep_alive and self.usable:
            self._home.give_back(self)
        elif not self._closed:
            self.close()

    def _bounded_by_framing(self) -> bool:
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    # httptools calls these

    def on_message_begin(self) -> None:
        if self._complete:
            raise UpstreamError("malformed", "more bytes than the answer has")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if len(self.headers) >= MAX_HEADERS or self._header_bytes > MAX_HEADER_BYTES:
            raise UpstreamError("too_large", "the answer's head is too large")
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                raise UpstreamError("malformed", "the provider switched protocols unasked")
            self.headers = {}
            return
        self.status = status
        kind = self.headers.get(b"content-type")
        self.streaming = (
            status == 200 and kind is not None and kind[:17].lower() == b"text/event-stream"
        )
        self._between_chunks = b"transfer-encoding" in self.headers

    def on_chunk_header(self) -> None:
        self._between_chunks = False

    def on_chunk_complete(self) -> None:
        self._between_chunks = not self._complete

    def on_body(self, data: bytes) -> None:
        self.body_bytes += len(data)
        self._barren_bytes = 0
        if self.body_bytes > self._max_bytes and not (self.streaming and not self._released):
            raise UpstreamError("too_large", f"the answer exceeds {self._max_bytes} bytes")
        self._parts.append(data)

    def on_message_complete(self) -> None:
        if self.status:
            self._complete = True
            self._keep_alive = self._parser.should_keep_alive()
