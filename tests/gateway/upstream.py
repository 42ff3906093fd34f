"""A provider that does byte for byte what a test tells it, and writes down what it saw when."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from tidegate.core.clock import monotonic_s

OK = b"HTTP/1.1 200 OK\r\n"
STREAM_HEAD = OK + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


class Exchange:
    """One request as it came, and the way to answer it. Times are monotonic seconds."""

    def __init__(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        self.transport = transport
        self.head = head
        self.body = body
        self.received_s = monotonic_s()
        self.sent_s: list[float] = []
        self.closed = asyncio.Event()
        self.closed_s: float | None = None

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def path(self) -> bytes:
        return self.head.split(b" ", 2)[1]

    def header(self, name: bytes) -> bytes | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return None

    def send(self, data: bytes) -> None:
        if not self.closed.is_set():
            self.sent_s.append(monotonic_s())
            self.transport.write(data)

    def event(self, payload: bytes) -> None:
        """One server-sent event in one HTTP chunk."""
        self.send(chunk(b"data: " + payload + b"\n\n"))

    def say(self, text: str) -> None:
        """One content token of choice 0."""
        self.event(content(text))

    def end(self, usage: dict[str, Any] | None = USAGE, finish: str = "stop") -> None:
        """Finish reason, usage, `[DONE]` and the end of the body, in one write."""
        data = b"data: " + delta({}, finish) + b"\n\n"
        if usage is not None:
            data += b"data: " + usage_chunk(usage) + b"\n\n"
        self.send(chunk(data + DONE) + b"0\r\n\r\n")


Script = Callable[[Exchange], Awaitable[None]]


class _Wire(asyncio.Protocol):
    def __init__(self, upstream: "Upstream") -> None:
        self._upstream = upstream
        self._data = b""
        self._exchange: Exchange | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._upstream.connections.add(self.transport)
        self._upstream.connected += 1

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._upstream.connections.discard(self.transport)
        if self._exchange is not None:
            self._exchange.closed_s = monotonic_s()
            self._exchange.closed.set()

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, mark, rest = self._data.partition(b"\r\n\r\n")
        if not mark:
            return
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ),
            0,
        )
        if len(rest) < length:
            return
        self._data = rest[length:]
        self._exchange = Exchange(self.transport, head, rest[:length])
        self._upstream.begin(self._exchange)


class Upstream:
    """Listens on a free port of loopback; `script` answers each request and may be replaced."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or whole()
        self.exchanges: list[Exchange] = []
        self.connections: set[asyncio.Transport] = set()
        self.connected = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> "Upstream":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Wire(self), "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for transport in list(self.connections):
            transport.abort()
        while self.connections:  # noqa: ASYNC110 - nothing announces an abort's end
            await asyncio.sleep(0)

    def begin(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        task = asyncio.get_running_loop().create_task(self._answer(exchange))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, exchange: Exchange) -> None:
        async with self._arrived:
            self._arrived.notify_all()
        with contextlib.suppress(asyncio.CancelledError):
            await self.script(exchange)

    async def arrived(self, count: int = 1) -> Exchange:
        """Waits for the `count`-th request; it."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.exchanges) >= count)
        return self.exchanges[count - 1]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def delta(fields: dict[str, Any], finish: str | None = None, index: int = 0) -> bytes:
    choice = {"index": index, "delta": fields, "finish_reason": finish}
    return msgspec.json.encode(
        {"id": "up-1", "object": "chat.completion.chunk", "model": "served", "choices": [choice]}
    )


def content(text: str) -> bytes:
    return delta({"content": text})


def usage_chunk(usage: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"id": "up-1", "choices": [], "usage": usage})


def completion(usage: dict[str, Any] | None = USAGE, text: str = "hello") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    answer: dict[str, Any] = {
        "id": "up-1",
        "object": "chat.completion",
        "model": "served",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    if usage is not None:
        answer["usage"] = usage
    return answer


def answer_bytes(status: int, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    head = b"HTTP/1.1 %d Said\r\ncontent-type: application/json\r\n" % status
    for name, value in headers:
        head += f"{name}: {value}\r\n".encode()
    return head + b"content-length: %d\r\n\r\n%b" % (len(body), body)


def whole(answer: Any = None, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Script:
    """Answers each request with one JSON body."""
    body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer or completion())

    async def script(exchange: Exchange) -> None:
        exchange.send(answer_bytes(status, body, headers))

    return script


def streaming(tokens: int = 5, gap_s: float = 0.0, usage: dict[str, Any] | None = USAGE) -> Script:
    """Streams so many content tokens, then ends properly."""

    async def script(exchange: Exchange) -> None:
        exchange.send(STREAM_HEAD)
        for number in range(tokens):
            if gap_s and number:
                await asyncio.sleep(gap_s)
            exchange.say(f"t{number} ")
        exchange.end(usage)

    return script


def stalling(tokens: int | None) -> Script:
    """Sends a stream's head and so many tokens, then nothing; None sends nothing at all."""

    async def script(exchange: Exchange) -> None:
        if tokens is not None:
            exchange.send(STREAM_HEAD)
            for number in range(tokens):
                exchange.say(f"t{number} ")
        await exchange.closed.wait()

    return script


def cutting(data: bytes) -> Script:
    """Sends these bytes and closes the connection."""

    async def script(exchange: Exchange) -> None:
        exchange.send(data)
        exchange.transport.close()

    return script
