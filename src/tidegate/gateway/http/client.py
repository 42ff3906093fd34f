"""One connection to a provider: a request out, one answer in, and back to its pool.

An answer that is a stream is handed to a Sink read by read, as the bytes that came; any other
answer is gathered whole, within a bound, before its waiter wakes.
"""

import asyncio
from typing import Final, Protocol

import httptools

from tidegate.core import clock
from tidegate.gateway.http.answer_reader import MAX_BARREN_BYTES, AnswerReader, UpstreamError

_SHORT_CHUNK_BYTES = 1024
# What may still come of an answer whose content has ended, before the connection is not worth it.
MAX_TAIL_BYTES = 64 * 1024


def _size_lines(chunk_bytes: int) -> tuple[tuple[bytes, ...], int]:
    """How a chunk begins, in either case, that is so long with all its framing; and where its data
    does. In no way where no chunk is so long."""
    for digits in range(1, 9):
        line = b"%x\r\n" % max(chunk_bytes - digits - 4, 0)
        if len(line) == digits + 2 and line != b"0\r\n":
            return (line, line.upper()), len(line)
    return (), 0


_SIZE_LINES: Final = tuple(_size_lines(length) for length in range(_SHORT_CHUNK_BYTES))


class Sink(Protocol):
    """Takes a streamed answer. Called from the event loop's read, so it must not wait."""

    def on_data(self, data: bytes, chunk: bytes | None) -> None:
        """`chunk` is the same data in chunked framing, when it came in just one chunk."""

    def on_end(self) -> None:
        """The answer's HTTP end has come."""

    def on_lost(self, error: UpstreamError) -> None: ...


class Home(Protocol):
    """The pool that a connection goes back to."""

    def give_back(self, upstream: "Upstream") -> None:
        """It is usable."""

    def ending(self, upstream: "Upstream") -> None:
        """Its exchange is over, but the tail of its answer has not come yet."""

    def gone(self, upstream: "Upstream") -> None: ...


class Upstream(AnswerReader, asyncio.Protocol):
    """A connection. In one exchange at a time: `send`, `answered`, then `release` or `close`."""

    __slots__ = (
        "_closed",
        "_error",
        "_home",
        "_in_exchange",
        "_loop",
        "_reading",
        "_sink",
        "_waiter",
        "holds_slot",
        "idle_since_s",
        "made",
        "resumed_s",
        "transport",
        "uses",
    )

    def __init__(self, home: Home) -> None:
        super().__init__()
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
        self._sink: Sink | None = None
        self._error: UpstreamError | None = None

    @property
    def usable(self) -> bool:
        return not self._closed and not self.transport.is_closing()

    @property
    def paused(self) -> bool:
        return not self._reading

    def send(self, request: bytes, max_bytes: int) -> None:
        """Sends a request. `max_bytes` bounds an answer that is gathered whole."""
        self._begin(max_bytes)
        self._in_exchange = True
        self._sink = None
        self._error = None
        self.uses += 1
        self.transport.write(request)

    def answered(self) -> "asyncio.Future[None]":
        """Done with the head of a stream or the whole of any other answer, or an UpstreamError."""
        waiter = self._waiter = self._loop.create_future()
        if self._closed:
            waiter.set_exception(UpstreamError("lost", "the connection was closed", clean=True))
        return waiter

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
        if not self._reading:
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
        del self._parser  # it holds us: the memory would wait for the garbage collector
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
        sink = self._sink
        if sink is not None and self._between_chunks:
            # Exactly one chunk in its plainest form: the parser, which stands between two
            # chunks, need not see it.
            length = len(data)
            short = length < _SHORT_CHUNK_BYTES
            lines, start = _SIZE_LINES[length] if short else _size_lines(length)
            if data.startswith(lines) and data.endswith(b"\r\n"):
                sink.on_data(data[start:-2], data)
                return
        if not self._in_exchange or self._complete:
            self.close()  # nobody asked: a connection in this state can be trusted with nothing
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
        if self._keep_alive and not self._closed and not self.transport.is_closing():
            self._home.give_back(self)
        elif not self._closed:
            self.close()
