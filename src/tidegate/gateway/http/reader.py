"""Bytes of a connection in, whole requests out: httptools with our strict layer around it."""

from collections import deque

import httptools

from tidegate.core.outcome import Refusal
from tidegate.gateway.http import strict

MAX_QUEUED_REQUESTS = 16


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
        self.http_minor = 1
        self.keep_alive = True


class RequestReader:
    """Pure: the clock is an argument, and nothing is sent.

    `feed` adds what has become whole to `whole`. Of a request under way `phase` says how far it
    is (`head`, `body`; `idle` between requests), `phase_s` since when, and `expects_continue`
    that its sender waits for leave to go on. After a Refusal the connection is past reading.
    """

    __slots__ = (
        "_chunk_count",
        "_chunked",
        "_framing_bytes",
        "_head_bytes",
        "_host_seen",
        "_incoming",
        "_now_s",
        "_parser",
        "_parts",
        "_target",
        "body_bytes",
        "expects_continue",
        "max_body_bytes",
        "phase",
        "phase_s",
        "whole",
    )

    def __init__(self, max_body_bytes: int) -> None:
        self.max_body_bytes = max_body_bytes
        self.whole: deque[Incoming] = deque()
        self.phase = "idle"
        self.phase_s = 0.0
        self.body_bytes = 0
        self.expects_continue = False
        self._now_s = 0.0
        self._host_seen: bytes | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._reset()

    def _reset(self) -> None:
        self._incoming: Incoming | None = None
        self._parts: list[bytes] = []
        self._target = b""
        self._chunked = False
        self._head_bytes = 0
        self._framing_bytes = 0
        self._chunk_count = 0
        self.body_bytes = 0

    def feed(self, data: bytes, now_s: float) -> None:
        """Takes what came at the monotonic time `now_s`. Refusal when it is no proper HTTP."""
        self._now_s = now_s
        phase, body_before, chunked_before = self.phase, self.body_bytes, self._chunked
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Refusal):
                raise error.__context__ from None
            raise
        except httptools.HttpParserUpgrade:
            raise Refusal("invalid_http", "no protocol upgrade is offered here") from None
        except httptools.HttpParserError as error:
            raise Refusal("invalid_http", f"the request is not HTTP/1.1: {error}") from None
        if self.phase == "head":
            self._bound_head(len(data), whole_read=phase == "head")
        elif self.phase == "body" and self._chunked:
            self._bound_framing(data, body_before, chunked_before)

    def _bound_head(self, size: int, *, whole_read: bool) -> None:
        self._head_bytes = self._head_bytes + size if whole_read else size
        if self._head_bytes > strict.MAX_HEAD_BYTES + strict.MAX_TARGET_BYTES:
            raise Refusal("headers_too_large", f"the head exceeds {strict.MAX_HEAD_BYTES} bytes")

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
        self._incoming = Incoming(self._now_s)
        self.phase = "head"
        self.phase_s = self._now_s

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > strict.MAX_TARGET_BYTES:
            raise Refusal("uri_too_long", "the request target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase != "head":
            raise Refusal("invalid_http", "trailers are not accepted")
        if len(name) + len(value) > strict.MAX_HEAD_BYTES:
            raise Refusal("headers_too_large", "a header is too long")
        strict.add_header(self._incoming.headers, name, value)  # type: ignore[union-attr]

    def on_headers_complete(self) -> None:
        incoming, parser = self._incoming, self._parser
        assert incoming is not None  # noqa: S101 - the parser's order of calls
        headers = incoming.headers
        incoming.http_minor = 1 if parser.get_http_version() == "1.1" else 0
        self._host_seen = strict.check_head(headers, incoming.http_minor, self._host_seen)
        incoming.method = parser.get_method()
        incoming.path, incoming.query = strict.split_target(self._target, self._host_seen)
        incoming.keep_alive = parser.should_keep_alive()
        self._chunked = b"transfer-encoding" in headers
        length = headers.get(b"content-length")
        if length is not None and int(length) > self.max_body_bytes:
            raise self._too_large()
        if b"expect" in headers:
            self.expects_continue = strict.expects_continue(headers, incoming.http_minor)
        self.phase = "body"

    def on_chunk_header(self) -> None:
        self._chunk_count += 1

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.body_bytes > self.max_body_bytes:
            raise self._too_large()
        self._parts.append(body)

    def on_message_complete(self) -> None:
        incoming, parts = self._incoming, self._parts
        assert incoming is not None  # noqa: S101 - the parser's order of calls
        incoming.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._incoming = None
        self.phase = "idle"
        self.whole.append(incoming)

    def _too_large(self) -> Refusal:
        return Refusal("body_too_large", f"the body exceeds {self.max_body_bytes} bytes")
