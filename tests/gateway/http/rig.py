"""A real listener on loopback whose answers are recorded, a client that sends any bytes, and a
transport that is no socket."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from types import TracebackType

from tidegate.core import clock
from tidegate.core.plan import HttpBounds
from tidegate.gateway.http import answers
from tidegate.gateway.http.listener import Listener
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection

PATIENCE_S = 20.0
_OK = answers.text_head(200)

Told = Callable[[Incoming, Connection], Awaitable[None]]


class House:
    """A Listener on a free port of loopback. Records every request, then answers it by `told`."""

    def __init__(
        self,
        told: Told | None = None,
        bounds: HttpBounds | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Incoming] = []
        self.cancelled = 0
        self._told = told or echo
        self._tls = tls
        self.listener = Listener(self._answer, bounds or HttpBounds())
        self.address = ("", 0)

    async def __aenter__(self) -> "House":
        sock = socket.create_server(("127.0.0.1", 0))
        self.address = await self.listener.listen(sock, self._tls)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.listener.stop_accepting()
        self.listener.abort_all()
        await until(lambda: not self.listener.connections)

    async def _answer(self, incoming: Incoming, connection: Connection) -> None:
        self.requests.append(incoming)
        try:
            await self._told(incoming, connection)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def only(self) -> Connection:
        """The one connection that there is."""
        [connection] = self.listener.connections
        return connection


async def echo(incoming: Incoming, connection: Connection) -> None:
    """Answers with the request's path and body."""
    connection.send(_OK, incoming.head.path + b" " + incoming.body)


async def until(true: Callable[[], object]) -> None:
    """Turns the loop until something is so; AssertionError after PATIENCE_S."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - what is waited for is the code's, not the test's
            await asyncio.sleep(0)


async def quiet() -> None:
    """Lets both sides of what has been dropped see it, before their loop is gone."""
    for _ in range(200):
        await asyncio.sleep(0)


class Caller:
    """A client's end of a connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(mark)

    async def exactly(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(size)

    async def answer(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """(status, headers, body) of the next answer that has a length."""
        head = await self.until(b"\r\n\r\n")
        status, headers = parse_head(head)
        return status, headers, await self.exactly(int(headers.get(b"content-length", b"0")))

    async def rest(self) -> bytes:
        """All that comes until the connection ends, one way or the other."""
        parts = []
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                while part := await self.reader.read(65536):
                    parts.append(part)
        return b"".join(parts)


@contextlib.asynccontextmanager
async def calling(
    address: tuple[str, int], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection(
        *address, ssl=tls, server_hostname="localhost" if tls else None
    )
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def told(address: tuple[str, int], parts: Iterable[bytes]) -> bytes:
    """Everything that the server says to these sends, until it ends the connection."""
    async with calling(address) as caller:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                await caller.send(part)
        return await caller.rest()


def parse_head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    pairs = (line.split(b": ", 1) for line in lines)
    return int(first.split(b" ")[1]), {name.lower(): value for name, value in pairs}


class FakeTransport(asyncio.Transport):
    """Keeps what is written. Ends when the test says so, or when it is closed."""

    def __init__(self, protocol: asyncio.Protocol, address: str = "10.0.0.1") -> None:
        super().__init__({"peername": (address, 1)})
        self.protocol = protocol
        self.written = b""
        self.closing = False
        self.ended = False
        self.reading = True
        self.eof = False
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.eof
        self.written += data

    def write_eof(self) -> None:
        self.eof = True

    def can_write_eof(self) -> bool:
        return True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        del high, low

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.end)

    def abort(self) -> None:
        self.close()

    def end(self, error: Exception | None = None) -> None:
        """The connection's end, told once."""
        self.closing = True
        if not self.ended:
            self.ended = True
            self.protocol.connection_lost(error)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
HELD = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Test = Callable[[House, Caller], Awaitable[None]]


def run(test: Test, told: Callable[..., Awaitable[None]] = echo, **bounds: float) -> None:
    """`test` with a caller that has just connected. Warnings of lost tasks are errors."""

    async def main() -> None:
        wanted = HttpBounds(**{"max_body_bytes": 1000, **bounds})  # type: ignore[arg-type]
        async with House(told, wanted) as house:
            async with calling(house.address) as caller:
                await until(lambda: house.listener.connections)
                await test(house, caller)
            await until(lambda: not house.listener.connections)

    asyncio.run(main())


def later(seconds: float) -> float:
    return clock.monotonic_s() + seconds


class Gate:
    """An answer that waits until it is let go."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, incoming: Incoming, connection: Connection) -> None:
        await self.open.wait()
        await echo(incoming, connection)
