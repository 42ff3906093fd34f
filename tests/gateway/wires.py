"""A gateway without sockets, on virtual time: its callers' and its provider's ends of each wire are
in memory, so that a run goes the same way again, turn of the loop by turn of the loop."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from tests.gateway import virtual

from tidegate.gateway.http.server import Connection

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n"
WHOLE = (
    b'{"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}'
)
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"Hi "},"finish_reason":null}]}\n\n'
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = (
    b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}\n\n'
)
DONE = b"data: [DONE]\n\n"


class Wire(asyncio.Transport):
    """One end of a connection: `say` is told what is written to it."""

    def __init__(self, say: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        super().__init__()
        self._say, self._ended = say, ended
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: Any) -> None:
        if not self.closed:
            self._say(bytes(data))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self._ended)

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class Provider:
    """Answers each request as chance has it: whole, streamed, late, with an error, not at all."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def connect(self, factory: Callable[[], Any]) -> tuple[Wire, Any]:
        await asyncio.sleep(self._chance.choice([0.0, 0.01]))
        protocol = factory()
        wire = Wire(lambda data: self._asked(protocol, wire, data), lambda: lose(protocol))
        protocol.connection_made(wire)
        return wire, protocol

    def _asked(self, protocol: Any, wire: Wire, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        at_s = 0.0
        for part in self._answer(b'"stream":true' in data):
            at_s += self._chance.choice([0.0, 0.01, 0.5])
            if part is None:
                loop.call_later(at_s, wire.close)
            else:
                loop.call_later(at_s, _deliver, protocol, wire, part)

    def _answer(self, streamed: bool) -> list[bytes | None]:
        kind = self._chance.randrange(5)
        if kind == 0:
            return [None]  # hangs up
        if kind == 1:
            body = b'{"error": {"message": "no"}}'
            head = b"HTTP/1.1 500 No\r\ncontent-type: application/json\r\n"
            return [head + b"content-length: %d\r\n\r\n" % len(body) + body]
        if not streamed:
            head = HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % len(WHOLE)
            return [head, None] if kind == 2 else [head + WHOLE]
        head = HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
        if kind == 2:
            return [head, _framed(CHUNK), None]
        frames = [CHUNK, CHUNK, CHUNK, LAST, USAGE, DONE]
        return [head, *map(_framed, frames), b"0\r\n\r\n"]


def _framed(frame: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(frame), frame)


def _deliver(protocol: Any, wire: Wire, part: bytes) -> None:
    if not wire.closed:
        protocol.data_received(part)


def lose(protocol: Any) -> None:
    protocol.connection_lost(None)


class Caller:
    """One client connection. `heard` is all that came back."""

    def __init__(self, connection: Connection) -> None:
        self.heard = b""
        self._connection = connection
        self._wire = Wire(self._hear, lambda: lose(connection))
        connection.connection_made(self._wire)

    def ask(self, request: bytes) -> None:
        if not self._wire.closed:
            self._connection.data_received(request)

    def leave(self) -> None:
        self._wire.close()

    def _hear(self, data: bytes) -> None:
        self.heard += data


class WiredLoop(virtual.VirtualLoop):
    """Connections lead to `provider`; what would be done by a thread is done at once."""

    provider: Provider

    async def create_connection(self, factory: Any, *_: Any, **__: Any) -> Any:
        return await self.provider.connect(factory)

    def run_in_executor(self, executor: Executor | None, func: Any, *arguments: Any) -> Any:
        done = self.create_future()
        try:
            done.set_result(func(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done
