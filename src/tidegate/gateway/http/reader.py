"""Bytes of a connection in, whole requests out: httptools with our strict layer around it."""

from collections import deque

import httptools
from msgspec import Struct

from tidegate.core.key import KeyRecord
from tidegate.core.outcome import Refusal
from tidegate.gateway.context import Context
from tidegate.gateway.http import strict
from tidegate.gateway.http.spools import FROM_BYTES, Spool, Spools

MAX_QUEUED_REQUESTS = 16
MAX_LENGTH_DIGITS = 10
# What is no plain body goes to the parser in slices, so that bounds hold however it was cut.
SLICE_BYTES = 2 * 1024


class Head(Struct, eq=False):
    """A request's head. Connections send the same one again and again, so what the stages read
    out of it once is kept on it: `context`, and the `caller` as of the keys' `caller_epoch`. What
    came more than once stands joined in `headers`, and `again` has each value after the first.
    """

    method: bytes = b""
    path: bytes = b""
    query: bytes = b""
    headers: strict.Headers = {}
    http_minor: int = 1
    keep_alive: bool = True
    context: Context | None = None
    caller: KeyRecord | None = None
    caller_epoch: int = -1
    again: dict[bytes, list[bytes]] | None = None


class Incoming(Struct, eq=False):
    """One whole request. `received_s` is the monotonic time of its first byte. A body that waits on
    disk is its `spool`, and whoever answers it closes that."""

    head: Head
    received_s: float
    body: bytes = b""
    spool: Spool | None = None


class _Known(Struct):
    """The bytes of a head around the digits of its Content-Length, which are `at` there, and what
    they parse to."""

    before: bytes
    at: int
    after: bytes
    head: Head


class RequestReader:
    """Pure: the clock is an argument, and nothing is sent.

    `feed` adds what has become whole to `whole`. Of a request under way `phase` says how far it
    is (`head`, `body`; `idle` between requests), `phase_s` since when, and `expects_continue`
    that its sender waits for leave to go on. `max_body_bytes` may change: requests that have not
    begun obey it. After a Refusal the connection is past reading.

    `asks` is the head of a body that is for the disk and may not come there yet: nothing more is to
    be fed until it was `grant`ed.
    """

    __slots__ = (
        "_chunk_count",
        "_chunked",
        "_framing_bytes",
        "_head_bytes",
        "_host_seen",
        "_incoming",
        "_known",
        "_length",
        "_max_body_bytes",
        "_now_s",
        "_parser",
        "_parts",
        "_repeated",
        "_spool",
        "_spools",
        "_spools_body",
        "_target",
        "_who",
        "asks",
        "body_bytes",
        "expects_continue",
        "max_body_bytes",
        "phase",
        "phase_s",
        "whole",
    )

    def __init__(self, max_body_bytes: int, spools: Spools | None = None) -> None:
        self._spools = spools
        self._spool: Spool | None = None
        self.max_body_bytes = max_body_bytes
        self.whole: deque[Incoming] = deque()
        self.phase = "idle"
        self.phase_s = 0.0
        self.body_bytes = 0
        self.expects_continue = False
        self._now_s = 0.0
        self._host_seen: bytes | None = None
        self._known: _Known | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._reset()

    def _reset(self) -> None:
        self._incoming: Incoming | None = None
        self._parts: list[bytes] = []
        self._target = b""
        self._chunked = False
        self._length = 0
        self._spools_body = False
        self._who: str | None = None
        self.asks: Head | None = None
        self._max_body_bytes = self.max_body_bytes
        self._repeated = 0
        self._head_bytes = 0
        self._framing_bytes = 0
        self._chunk_count = 0
        self.body_bytes = 0

    def close(self) -> None:
        """Nothing more is fed. Parser and reader hold one another: without this the memory of a
        connection would wait for the garbage collector."""
        del self._parser
        left = [incoming.spool for incoming in self.whole]
        for spool in (self._spool, *left):
            if spool is not None:
                spool.close()

    def feed(self, data: bytes, now_s: float) -> None:
        """Takes what came at the monotonic time `now_s`. Refusal when it is no proper HTTP."""
        known, between = self._known, self.phase == "idle"
        if known is not None and between and data.startswith(known.before):
            body = self._body_behind(known, data)
            if body is not None:
                self.whole.append(Incoming(known.head, now_s, body))
                return
        self._now_s = now_s
        size = len(data)
        if size <= SLICE_BYTES or size <= self._length - self.body_bytes:
            self._feed(data)
        else:
            at = 0
            while at < size:
                end = at + max(SLICE_BYTES, self._length - self.body_bytes)
                self._feed(data[at:end])
                at = end
        if between and self.phase == "idle" and len(self.whole) == 1:
            self._known = _knowledge(data, self.whole[0])

    def _body_behind(self, known: _Known, data: bytes) -> bytes | None:
        """The body of `data`, if it is one whole request with the head that we know.

        The same bytes parse to the same head, whatever the length says, so the parser, which
        stands between two requests, need not see them.
        """
        at, after = known.at, known.after
        end = data.find(b"\r", at, at + MAX_LENGTH_DIGITS + 1)
        digits = data[at:end] if end > at else b""
        if not digits.isdigit() or not data.startswith(after, end):
            return None
        start = end + len(after)
        size = len(data) - start
        return data[start:] if size == int(digits) and size <= self.max_body_bytes else None

    def _feed(self, data: bytes) -> None:
        phase, body_before, chunked_before = self.phase, self.body_bytes, self._chunked
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Refusal):
                raise error.__context__ from None
            raise
        except httptools.HttpParserError as error:
            raise Refusal("invalid_http", f"the request is not HTTP/1.1: {error}") from None
        if self.phase == "head":
            self._head_bytes = self._head_bytes + len(data) if phase == "head" else len(data)
            if self._head_bytes > strict.MAX_HEAD_RAW_BYTES:
                raise strict.head_too_large()
        elif self.phase == "body" and self._chunked:
            self._bound_framing(data, body_before, chunked_before)

    def _bound_framing(self, data: bytes, body_before: int, chunked_before: bool) -> None:
        """Bounds size lines and extensions: what came beyond the body itself."""
        if not chunked_before:
            data = data[data.find(b"\r\n\r\n") + 4 :]
            body_before = 0
        self._framing_bytes += len(data) - (self.body_bytes - body_before)
        allowed = strict.CHUNK_FRAMING_BYTES * (self._chunk_count + 1)
        if self._framing_bytes > allowed + strict.MAX_CHUNK_EXTENSION_BYTES:
            raise Refusal("invalid_http", "the chunk extensions are too long")

    # httptools calls these

    def on_message_begin(self) -> None:
        if len(self.whole) >= MAX_QUEUED_REQUESTS:
            raise Refusal("invalid_http", "too many pipelined requests")
        self._reset()
        self._incoming = Incoming(Head(headers={}), self._now_s)
        self.phase = "head"
        self.phase_s = self._now_s

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > strict.MAX_TARGET_BYTES:
            raise Refusal("uri_too_long", "the request target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase != "head":
            raise Refusal("invalid_http", "trailers are not accepted")
        head = self._incoming.head  # type: ignore[union-attr]
        headers = head.headers
        if strict.add_header(headers, name, value):
            self._repeated += 1
            strict.check_count(len(headers) + self._repeated)
            again = head.again = head.again or {}
            again.setdefault(name.lower(), []).append(value)

    def on_headers_complete(self) -> None:
        incoming, parser = self._incoming, self._parser
        assert incoming is not None  # noqa: S101 - the parser's order of calls
        head = incoming.head
        headers = head.headers
        if self._head_bytes > strict.MAX_HEAD_BYTES - SLICE_BYTES:
            strict.check_size(headers)
        strict.check_count(len(headers) + self._repeated)
        head.http_minor = strict.http_minor(parser.get_http_version())
        self._host_seen = strict.check_head(headers, head.http_minor, self._host_seen)
        head.method = parser.get_method()
        if head.method == b"CONNECT":
            raise Refusal("invalid_http", "no tunnel is offered here")
        head.path, head.query = strict.split_target(self._target, self._host_seen)
        head.keep_alive = parser.should_keep_alive()
        spools = self._spools
        if spools is not None and head.path in spools.paths and head.method == b"POST":
            self._max_body_bytes = max(self._max_body_bytes, spools.max_file_bytes)
            self._spools_body = True
        self._chunked = b"transfer-encoding" in headers
        length = headers.get(b"content-length")
        if length is not None:
            self._length = int(length)
            if self._length > self._max_body_bytes:
                raise self._too_large()
            if self._spools_body and self._length > FROM_BYTES:
                self._ask_leave(head)
        if b"expect" in headers:
            self.expects_continue = strict.expects_continue(headers, head.http_minor)
        self.phase = "body"

    def on_chunk_header(self) -> None:
        self._chunk_count += 1

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.body_bytes > self._max_body_bytes:
            raise self._too_large()
        if self._spool is not None:
            self._spool.write(body)
            return
        self._parts.append(body)
        if self._spools_body and self.body_bytes > FROM_BYTES:
            if self._who is None:
                self._ask_leave(self._incoming.head)  # type: ignore[union-attr]
            if self._who is not None:
                self._begin_spool(self._who)

    def _ask_leave(self, head: Head) -> None:
        assert self._spools is not None  # noqa: S101 - its path is one of them
        if self._spools.leave is None:
            self._who = ""
        else:
            self.asks = head

    def grant(self, who: str) -> None:
        """The body that was asked for is of `who` and may come. Refusal where there is no room."""
        self.asks, self._who = None, who
        if self.phase == "body":
            self._begin_spool(who)

    def _begin_spool(self, who: str) -> None:
        """The body is too long for memory: it goes on where `Spools` has it."""
        assert self._spools is not None  # noqa: S101 - its path is one of them
        spool = self._spool = self._spools.begin(who, self._length)
        for part in self._parts:
            spool.write(part)
        self._parts.clear()

    def on_message_complete(self) -> None:
        incoming, parts = self._incoming, self._parts
        assert incoming is not None  # noqa: S101 - the parser's order of calls
        incoming.body = parts[0] if len(parts) == 1 else b"".join(parts)
        incoming.spool, self._spool = self._spool, None
        self._incoming = self.asks = None
        self.phase = "idle"
        self.expects_continue = False
        self.whole.append(incoming)

    def _too_large(self) -> Refusal:
        return Refusal("body_too_large", f"the body exceeds {self._max_body_bytes} bytes")


def _knowledge(data: bytes, incoming: Incoming) -> _Known | None:
    """What to know a head by that has just come in one piece with its body, if it is a plain one.

    The lengths add up only when `data` is this one request and nothing else.
    """
    head = incoming.head
    length = head.headers.get(b"content-length")
    end = data.find(b"\r\n\r\n") + 4
    plain = head.keep_alive and head.http_minor == 1 and b"expect" not in head.headers
    if length is None or not plain or len(data) - end != len(incoming.body):
        return None
    name = data[:end].lower().find(b"\r\ncontent-length:")
    at = data.find(length, name + len(b"\r\ncontent-length:"))
    if name < 0 or data[at + len(length) : at + len(length) + 2] != b"\r\n":
        return None
    return _Known(data[:at], at, data[at + len(length) : end], head)
