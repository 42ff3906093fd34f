"""tap: stands beside another gateway, passes everything on as it came, and notes what it saw.

In line (`to` is an address) each request is sent on and its answer passed back as the bytes that
came. As a mirror (`to` is None) each request is a copy: it is answered 204, and nothing is sent.
What cannot be read or noted is passed on all the same.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final, cast

from msgspec.structs import replace

from tidegate.core import clock
from tidegate.core.ask import Ask
from tidegate.core.audit import End, Observed, Side
from tidegate.core.outcome import Refusal
from tidegate.core.plan import HttpBounds
from tidegate.core.plugs import StreamReader
from tidegate.gateway.http import answers
from tidegate.gateway.http.answer_reader import UpstreamError
from tidegate.gateway.http.client import Upstream
from tidegate.gateway.http.listener import SWEEP_S, Listener
from tidegate.gateway.http.pool import Pool, PoolFull, Way
from tidegate.gateway.http.reader import Head, Incoming
from tidegate.gateway.http.server import Connection
from tidegate.gateway.tap_reading import TapReading, Told, call_id, key_digest

CONNECT_S: Final = 10.0
MOST_BYTES: Final = 256 * 1024 * 1024  # of a request, and of an answer that is no stream
_CONNECTIONS: Final = 4096
# Whoever stands behind it bounds what may come; all of it may come from one balancer's address.
_BOUNDS: Final = HttpBounds(
    max_body_bytes=MOST_BYTES,
    max_response_bytes=MOST_BYTES,
    max_connections_per_ip=0,
    write_timeout_s=300.0,
)
DRAIN_S: Final = 10.0
# Of one connection, not of what it carries; the last is left out so that answers can be read.
_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer"}
    | {b"transfer-encoding", b"upgrade", b"expect", b"host", b"content-length", b"accept-encoding"}
)
_OUR_OWN: Final = frozenset({b"date", b"content-length", b"connection", b"transfer-encoding"})
_NO_ANSWER: Final = 502
_HEAD: Final = b"HEAD"


class Tap:
    """`note` is told of each request once it is over."""

    def __init__(self, way: Way | None, side: Side, note: Callable[[Observed], None]) -> None:
        self._pool = None if way is None else Pool(way, _CONNECTIONS, _Kept)
        self._side = side
        self._note = note
        self._reading = TapReading()
        self._ids = clock.IdSource()
        self._listener = Listener(self.answer, _BOUNDS)

    async def run(self, listen: socket.socket, ready: Callable[[], None]) -> None:
        """Serves until it is told to stop, and lets what is under way come to its end."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await self._listener.listen(listen, None)
        sweeper = asyncio.create_task(self._sweep())
        ready()
        try:
            await stop.wait()
            self._listener.stop_accepting()
            until_s = clock.monotonic_s() + DRAIN_S
            while not self._listener.quiet() and clock.monotonic_s() < until_s:  # noqa: ASYNC110
                await asyncio.sleep(SWEEP_S)
        finally:
            sweeper.cancel()
            self._listener.stop_accepting()
            self._listener.abort_all()
            if self._pool is not None:
                self._pool.close()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def answer(self, incoming: Incoming, connection: Connection) -> None:
        """http.server.Answer."""
        ask = self._reading.ask(incoming)
        if self._pool is None:
            self._end(self._begun(incoming, ask), "unseen")
            connection.send(answers.status_line(204), b"")
            return
        exchange = _Exchange(self._begun(incoming, ask), ask, self._end)
        try:
            await exchange.run(incoming, connection, self._pool, self._reading)
        except asyncio.CancelledError:
            exchange.over("left")
            raise
        except (OSError, TimeoutError, ssl.SSLError, PoolFull, UpstreamError) as error:
            exchange.over("cut")
            if exchange.begun:
                connection.cut(b"")
            else:
                no = Refusal("overloaded", f"the tap has no answer to pass on: {error}")
                connection.send(answers.json_head(_NO_ANSWER), answers.error_body(no))

    def _begun(self, incoming: Incoming, ask: Ask | None) -> Observed:
        head = incoming.head
        return Observed(
            id=self._ids.new(),
            side=self._side,
            at_s=clock.wall_s(),
            path=head.path.decode("latin-1"),
            end="unseen",
            model=None if ask is None else ask.model,
            stream=ask is not None and ask.stream,
            key=key_digest(head.headers),
        )

    def _end(self, begun: Observed, end: End, **told: object) -> None:
        """Only what is a request to a model is noted."""
        if begun.model is not None:
            self._note(replace(begun, end=end, **told))

    async def _sweep(self) -> None:
        while True:
            now_s = clock.monotonic_s()
            self._listener.sweep(now_s)
            if self._pool is not None:
                self._pool.sweep(now_s)
            await asyncio.sleep(SWEEP_S)


class _Kept(Upstream):
    """A connection that keeps an answer's head line by line: `Set-Cookie` may come twice, and only
    apart."""

    __slots__ = ("lines",)

    def _begin(self, max_bytes: int) -> None:
        super()._begin(max_bytes)
        self.lines: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if not self.status:  # else it is behind the body
            self.lines.append((name, value))

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if not self.status:
            self.lines = []  # of an interim answer


class _Exchange:
    """One request on its way through, and the client.Sink of its stream."""

    def __init__(self, of: Observed, ask: Ask | None, end: Callable[..., None]) -> None:
        self._of, self._ask, self._tell = of, ask, end
        self._started_s = clock.monotonic_s()
        self._upstream: Upstream | None = None
        self._connection: Connection | None = None
        self._reader: StreamReader | None = None
        self._done: asyncio.Future[None] | None = None
        self._noted = self.begun = False

    async def run(
        self, incoming: Incoming, connection: Connection, pool: Pool, reading: TapReading
    ) -> None:
        """OSError, TimeoutError, ssl.SSLError, PoolFull or UpstreamError where there is no answer,
        or not all of it."""
        upstream = pool.take_idle() or (await pool.take(CONNECT_S)).upstream
        self._upstream = upstream
        upstream.send(_request(incoming, pool.way), MOST_BYTES)
        try:
            await upstream.answered()
        except UpstreamError as error:
            if not error.clean or upstream.uses == 1:
                raise
            # It was kept alive for too long: the request was not read.
            upstream = self._upstream = (await pool.take(CONNECT_S)).upstream
            upstream.send(_request(incoming, pool.way), MOST_BYTES)
            await upstream.answered()
        head = _head(upstream)
        if upstream.streaming and incoming.head.method != _HEAD:
            await self._stream(upstream, connection, head, reading)
            return
        body = upstream.body()
        upstream.release()
        self._upstream = None
        told = None
        if self._ask is not None and upstream.status == 200:
            told = reading.whole(self._ask, body)
        self._read(told, "whole" if upstream.status < 300 else "refused", upstream)
        connection.send(head, body)

    def over(self, end: End) -> None:
        """However far it has come, and whatever of it could be read."""
        if self._upstream is not None:
            reader, upstream = self._reader, self._upstream
            told = None if reader is None else _told(reader)
            self._read(told, end, upstream)
            upstream.close()
        elif not self._noted:
            self._noted = True
            self._tell(self._of, end, took_s=clock.monotonic_s() - self._started_s)

    async def _stream(
        self, upstream: Upstream, connection: Connection, head: bytes, reading: TapReading
    ) -> None:
        self._reader = None if self._ask is None else reading.stream(self._ask)
        self._connection = connection
        self._done = asyncio.get_running_loop().create_future()
        self.begun = True
        connection.start(head, b"")
        connection.source = upstream
        upstream.relay(self)
        try:
            await self._done
        finally:
            connection.source = None
        reader = self._reader
        ended = reader is None or reader.end() is None
        if reader is not None and reader.failure is not None:
            ended = False
        told = None if reader is None else _told(reader)
        self._read(told, "whole" if ended else "cut", upstream)
        self._upstream = None
        upstream.release()
        connection.finish(b"")

    def _read(self, told: Told | None, end: End, upstream: Upstream) -> None:
        if self._noted:
            return
        self._noted = True
        values: dict[str, object] = {} if told is None else dict(told.tokens())
        if told is not None:
            values |= {"answer_id": told.answer_id, "model_served": told.model_served}
        self._tell(
            self._of,
            end,
            took_s=clock.monotonic_s() - self._started_s,
            status=upstream.status or None,
            call_id=call_id(upstream.headers),
            **values,
        )

    # the upstream connection calls these

    def on_data(self, data: bytes, chunk: bytes | None) -> None:
        if self._connection is not None:
            if chunk is not None:
                self._connection.write_chunk(chunk, data)
            else:
                self._connection.write(data)
        if self._reader is not None:
            try:
                self._reader.feed(data)
            except Exception:  # a fault of ours is not to end what passes
                self._reader = None

    def on_end(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def on_lost(self, error: UpstreamError) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)


def _told(reader: StreamReader) -> Told:
    return Told(reader.provider_request_id, reader.model_served, reader.usage)


def _request(incoming: Incoming, way: Way) -> bytes:
    """The request as it came, to the other address."""
    head, to = incoming.head, way.replica
    default = 443 if to.scheme == "https" else 80
    host = to.host if to.port == default else f"{to.host}:{to.port}"
    # An answer without the body that it tells the length of would be waited for.
    method = b"GET" if head.method == _HEAD else head.method
    lines = [
        b"%b %b%b HTTP/1.1" % (method, to.path.encode(), _target(head)),
        b"host: " + host.encode(),
        *(b"%b: %b" % line for line in _lines(head) if line[0] not in _HOP),
        b"content-length: %d" % len(incoming.body),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + incoming.body


def _target(head: Head) -> bytes:
    return head.path + (b"?" + head.query if head.query else b"")


def _lines(head: Head) -> Iterator[tuple[bytes, bytes]]:
    """Each header as often as it came, those of one name in their order."""
    for name, joined in head.headers.items():
        again = () if head.again is None else head.again.get(name, ())
        yield name, joined[: len(joined) - sum(len(value) + 2 for value in again)]
        yield from ((name, value) for value in again)


def _head(upstream: Upstream) -> bytes:
    lines = (
        b"%b: %b\r\n" % (name, value)
        for name, value in cast(_Kept, upstream).lines
        if name.lower() not in _OUR_OWN and name.lower() not in _HOP
    )
    return answers.status_line(upstream.status) + b"".join(lines)
