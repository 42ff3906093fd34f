"""An upstream connection without a socket: its pool's side, its taker's side, and its bytes."""

import asyncio
from collections.abc import Callable

from tests.gateway.http.rig import FakeTransport

from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream

MAX_BYTES = 1000
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED_HEAD = STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
STREAM = CHUNKED_HEAD + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"


def cut(data: bytes) -> list[list[bytes]]:
    """`data` in one read, in reads of a byte, and in two reads at every place."""
    return [[data], [data[i : i + 1] for i in range(len(data))]] + [
        [data[:at], data[at:]] for at in range(1, len(data))
    ]


class Home:
    """The pool's side: what came back, what ended."""

    def __init__(self) -> None:
        self.back = 0
        self.ended = 0
        self.in_tail = 0

    def give_back(self, upstream: Upstream) -> None:
        assert upstream.usable
        self.back += 1

    def ending(self, upstream: Upstream) -> None:
        self.in_tail += 1

    def gone(self, upstream: Upstream) -> None:
        self.ended += 1


class Taker:
    """A Sink that keeps what it is given."""

    def __init__(self) -> None:
        self.data = b""
        self.ends: list[str] = []

    def on_data(self, data: bytes, chunk: bytes | None) -> None:
        assert data and not self.ends
        self.data += data

    def on_end(self) -> None:
        self.ends.append("end")

    def on_lost(self, error: UpstreamError) -> None:
        self.ends.append(error.kind)


class Line:
    """An Upstream that has just sent its request, on a transport that is no socket."""

    def __init__(self) -> None:
        self.home = Home()
        self.upstream = Upstream(self.home)
        self.transport = FakeTransport(self.upstream)
        self.upstream.send(b"POST", MAX_BYTES)
        assert self.transport.written == b"POST"

    def come(self, *parts: bytes) -> None:
        """Reads come in, as long as the connection is there."""
        for part in parts:
            if not self.transport.closing:
                self.upstream.data_received(part)

    async def answered(self, *parts: bytes) -> None:
        waiting = asyncio.ensure_future(self.upstream.answered())
        await asyncio.sleep(0)
        self.come(*parts)
        await waiting


def in_loop(test: Callable[[Line], object]) -> None:
    async def run() -> None:
        result = test(Line())
        if asyncio.iscoroutine(result):
            await result

    asyncio.run(run())
