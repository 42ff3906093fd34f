"""batch_transfer: files on their way to a provider and back, never whole in memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.outcome import Failure
from tidegate.gateway.batch_place import MAX_ANSWER_BYTES, Account, Answer, good_of
from tidegate.gateway.call import connection_to
from tidegate.gateway.http.answer_reader import ANY_KIND, UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.in_flight import InFlight, translate

PIECE_BYTES: Final = 256 * 1024
# What may wait in memory on either side of a transfer.
MAX_WAITING_BYTES: Final = 1024 * 1024
UPLOAD_S: Final = 600.0
# Until a download begins, and between two pieces of it.
SILENCE_S: Final = 60.0
_LOOK_S: Final = 0.005
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_JSON: Final = b"content-type: application/json\r\n"


class Upload(Struct, frozen=True, eq=False):
    """One file: `size` bytes of it as it is read, and the form's other fields."""

    file: BinaryIO
    size: int
    filename: str
    fields: tuple[tuple[str, str], ...]


async def upload(at: Account, what: Upload, request_id: str) -> bytes:
    """Sends a file; the body of the provider's answer. Failure, Refusal."""
    begins = what.file.tell()

    async def exchange() -> Answer:
        what.file.seek(begins)
        return await _upload(at, what, request_id)

    return await good_of(at, exchange)


async def _upload(at: Account, what: Upload, request_id: str) -> Answer:
    before, after, kind = _form(what)
    head = await at.head(b"POST", b"/files", request_id)
    head = head.replace(_JSON, kind, 1)
    head += b"content-length: %d\r\n\r\n" % (len(before) + what.size + len(after))
    this = at.in_flight()
    try:
        async with asyncio.timeout(UPLOAD_S):
            upstream = await connection_to(this, at.replica)
            this.send(upstream, head + before, MAX_ANSWER_BYTES)
            answered = upstream.answered()
            whole = await _send(upstream, what, answered)
            if whole:
                upstream.transport.write(after)
            await answered
        status, headers, body = upstream.status, upstream.headers, upstream.body()
        if whole:
            this.take_body()
    except TimeoutError:
        message = "the provider did not take the file in time"
        raise Failure("timeout", "upstream_timeout", message) from None
    except UpstreamError as error:
        raise translate(error) from None
    finally:
        this.end()  # also of an answer that came before all was sent: the rest never goes
    return Answer(status, headers, body, this.sent_s or 0.0)


async def _send(upstream: Upstream, what: Upload, answered: "asyncio.Future[None]") -> bool:
    """Whether all of it was sent before an answer came."""
    left = what.size
    while left and not answered.done():
        piece = what.file.read(min(left, PIECE_BYTES))
        if not piece:
            raise Failure("unavailable", "upstream_error", "the file was cut short here")
        left -= len(piece)
        upstream.transport.write(piece)
        await _drained(upstream, answered)
        await asyncio.sleep(0)
    return not left and not answered.done()


async def _drained(upstream: Upstream, answered: "asyncio.Future[None]") -> None:
    """Waits until there is room for more, or nobody wants it."""
    size = upstream.transport.get_write_buffer_size
    while size() > MAX_WAITING_BYTES and not answered.done():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(_LOOK_S)


def _form(what: Upload) -> tuple[bytes, bytes, bytes]:
    """What stands before the file and after it, and the Content-Type of both."""
    boundary = f"tidegate-{clock.random_text(_LETTERS, 32)}"
    lines = []
    for name, value in what.fields:
        lines += [f"--{boundary}", f'content-disposition: form-data; name="{name}"', "", value]
    named = "".join(it if it not in '"\\' else "_" for it in what.filename)
    lines += [
        f"--{boundary}",
        f'content-disposition: form-data; name="file"; filename="{named}"',
        "content-type: application/octet-stream",
        "",
        "",
    ]
    before, after = "\r\n".join(lines).encode(), f"\r\n--{boundary}--\r\n".encode()
    return before, after, f"content-type: multipart/form-data; boundary={boundary}\r\n".encode()


class Download:
    """http.client.Sink of one file: what has come and is not taken yet, bounded."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: UpstreamError | None = None
        self._news = asyncio.Event()
        upstream.relay(self)

    def on_data(self, data: bytes, chunk: bytes | None) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > MAX_WAITING_BYTES:
            self._upstream.pause()
        self._news.set()

    def on_end(self) -> None:
        self._ended = True
        self._news.set()

    def on_lost(self, error: UpstreamError) -> None:
        self._error = error
        self._news.set()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file, piece by piece, up to its proper end. Failure where that does not come."""
        while True:
            while self._parts:
                piece = self._parts.popleft()
                self._size -= len(piece)
                yield piece
            if self._error is not None:
                raise translate(self._error) from None
            if self._ended:
                return
            self._news.clear()
            self._upstream.resume()
            try:
                async with asyncio.timeout(SILENCE_S):
                    await self._news.wait()
            except TimeoutError:
                message = f"the provider paused for more than {SILENCE_S:g} s"
                raise Failure("timeout", "upstream_timeout", message) from None


async def begin_download(at: Account, this: InFlight, path: bytes, request_id: str) -> Download:
    """Asks for a file, up to where its bytes begin. Failure, Refusal; who calls ends `this`."""
    request = await at.head(b"GET", path, request_id) + b"\r\n"
    try:
        async with asyncio.timeout(SILENCE_S):
            upstream = await connection_to(this, at.replica)
            this.send(upstream, request, MAX_ANSWER_BYTES)
            upstream.stream_kinds = ANY_KIND
            await upstream.answered()
    except TimeoutError:
        message = "the provider did not begin to send the file in time"
        raise Failure("timeout", "upstream_timeout", message) from None
    except UpstreamError as error:
        raise translate(error) from None
    if upstream.status != 200:
        status, headers, sent_s = upstream.status, upstream.headers, this.sent_s or 0.0
        raise at.failure(Answer(status, headers, this.take_body(), sent_s))
    encoding = upstream.headers.get(b"content-encoding", b"identity")
    if encoding.lower() != b"identity":
        raise Failure("malformed", "upstream_malformed", "the provider compressed a file unasked")
    return Download(upstream)
