"""Bytes of a provider in, the head and body of an answer out: httptools with bounds around it."""

import httptools

MAX_HEADERS = 200
MAX_HEADER_BYTES = 64 * 1024
# Bytes that may come without one of the body among them: heads, interim answers, chunk lines.
MAX_BARREN_BYTES = 2 * MAX_HEADER_BYTES
# Of a body that comes in crumbs so many are put together at a time: each takes more to hold than
# it is long.
MOST_CRUMBS = 1024


class UpstreamError(Exception):
    """The exchange failed. `clean` says that not one byte of an answer had come.

    `kind` is `lost` (the connection ended), `malformed` (not HTTP), `too_large`, `deadline`, or
    `draining` (we end it because the gateway shuts down).
    """

    def __init__(self, kind: str, message: str, *, clean: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.clean = clean


# Every good answer is a stream, whatever it says that it is.
ANY_KIND = (b"",)
_STREAM_KINDS = (b"text/event-stream", b"application/vnd.amazon.eventstream")


class AnswerReader:
    """What has come of one answer at a time; the connection that feeds the parser is built on it.

    The first `_merged` of `_parts` are crumbs put together. `stream_kinds` are the types of content
    that are no whole answer. `_released` says that nobody wants the rest of the answer, which is
    read to keep the connection; `_between_chunks` that the parser stands between two chunks and has
    seen no byte of the next.
    """

    __slots__ = (
        "_barren_bytes",
        "_between_chunks",
        "_complete",
        "_keep_alive",
        "_max_bytes",
        "_merged",
        "_parser",
        "_parts",
        "_released",
        "body_bytes",
        "headers",
        "status",
        "stream_kinds",
        "streaming",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._begin(0)

    def _begin(self, max_bytes: int) -> None:
        """Forgets the last answer. `max_bytes` bounds the next one, if it is gathered whole."""
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._merged = 0
        self._complete = False
        self._keep_alive = False
        self._released = False
        self._barren_bytes = 0
        self._between_chunks = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body_bytes = 0
        self.streaming = False
        self.stream_kinds: tuple[bytes, ...] = _STREAM_KINDS

    def body(self) -> bytes:
        """The gathered body of an answer that is not a stream."""
        parts = self._parts
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _bounded_by_framing(self) -> bool:
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    # httptools calls these

    def on_message_begin(self) -> None:
        if self._complete:
            raise UpstreamError("malformed", "more bytes than the answer has")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS or self._barren_bytes > MAX_HEADER_BYTES:
            self._check_head()
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                raise UpstreamError("malformed", "the provider switched protocols unasked")
            self.headers = {}
            return
        self.status = status
        kind = self.headers.get(b"content-type")
        self.streaming = status == 200 and (kind or b"").lower().startswith(self.stream_kinds)
        self._between_chunks = b"transfer-encoding" in self.headers

    def _check_head(self) -> None:
        size = sum(len(name) + len(value) for name, value in self.headers.items())
        if len(self.headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
            raise UpstreamError("too_large", "the answer's head is too large")

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
        if not self.streaming and len(self._parts) - self._merged > MOST_CRUMBS:
            self._parts[self._merged :] = [b"".join(self._parts[self._merged :])]
            self._merged += 1

    def on_message_complete(self) -> None:
        if self.status:
            self._complete = True
            self._between_chunks = False
            self._keep_alive = self._parser.should_keep_alive()
