"""Two providers in one process, with the faults of `faults.py`; counts what they would charge.

    python -m bench.faulty_upstream          prints its port, serves until its stdin ends

`POST /CASE/primary/v1/chat/completions` suffers the case, `/CASE/secondary/...` does not.
`GET /_bill` gives for each case what was charged since it was last asked: requests that came,
prompt tokens of those that were worked on, and tokens generated, also those that nobody has read.
A provider that sees its client leave stops.
"""

import asyncio
import json
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.faults import (
    BY_NAME,
    FIRST_S,
    GAP_S,
    KEPT_TOKENS,
    PROMPT_TOKENS,
    RETRY_AFTER_S,
    REVOKED,
    SLOWNESS,
    TOKENS,
    WORDS,
    Case,
)

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
_STORM = (500, 502, 503)


@dataclass
class Bill:
    """What was asked and done. Tokens are those that a provider would charge."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    # Which answers of the primary go wrong is the same for whoever is measured.
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def told(self) -> dict[str, int]:
        return {name: count for name, count in asdict(self).items() if isinstance(count, int)}


class Left(Exception):
    """The client has gone."""


@dataclass
class Call:
    """One request on its connection."""

    case: Case
    bill: Bill
    stream: bool
    writer: asyncio.Transport
    gone: asyncio.Event
    pace: float = 1.0

    async def wait(self, seconds: float) -> None:
        """Raises Left when the client goes meanwhile."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)
            raise Left

    def send(self, data: bytes) -> None:
        if self.gone.is_set():
            raise Left
        self.writer.write(data)

    def event(self, payload: Any) -> None:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        data = f"data: {text}\n\n".encode()
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def refuse(self, status: int, more: str = "") -> None:
        error = {"message": "no", "type": "server_error", "param": None, "code": None}
        self._body(status, {"error": error}, more)

    def _body(self, status: int, answer: Any, more: str = "") -> None:
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{more}"
        self.send(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    async def produce(self, tokens: int) -> None:
        """Works on the request: so many tokens, streamed as they come where that was asked."""
        self.bill.input_tokens += PROMPT_TOKENS
        if self.stream:
            self.send(_STREAM_HEAD)
            self.event(_chunk({"role": "assistant", "content": ""}))
        for number in range(tokens):
            await self.wait((GAP_S if number else FIRST_S) * self.pace)
            self.bill.output_tokens += 1
            if self.stream:
                self.event(_chunk({"content": WORDS[number]}))

    def end(self) -> None:
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": TOKENS}
        usage["total_tokens"] = PROMPT_TOKENS + TOKENS
        if not self.stream:
            message = {"role": "assistant", "content": "".join(WORDS)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            fields = {"id": "a", "created": 1, "model": "m", "choices": [choice], "usage": usage}
            self._body(200, {"object": "chat.completion", **fields})
            return
        self.event(_chunk({}, "stop"))
        self.event({**_chunk({}), "choices": [], "usage": usage})
        self.event("[DONE]")
        self.send(b"0\r\n\r\n")


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    fields = {"id": "a", "created": 1, "model": "m", "choices": [choice]}
    return {"object": "chat.completion.chunk", **fields}


async def _well(call: Call) -> None:
    await call.produce(TOKENS)
    call.end()


async def _silent(call: Call) -> None:
    call.bill.input_tokens += PROMPT_TOKENS
    await call.gone.wait()


async def _stall(call: Call) -> None:
    await call.produce(KEPT_TOKENS)
    await call.gone.wait()


async def _cut(call: Call) -> None:
    """By turns as a provider that dies, and as a proxy in between that ends the body properly."""
    await call.produce(KEPT_TOKENS)
    if call.bill.requests % 2:
        call.send(b"0\r\n\r\n")
    call.writer.close()


async def _told(call: Call) -> None:
    call.refuse(429, f"retry-after: {RETRY_AFTER_S}\r\n")


async def _untold(call: Call) -> None:
    call.refuse(429)


async def _storm(call: Call) -> None:
    call.refuse(call.bill.chance.choice(_STORM))


async def _slow(call: Call) -> None:
    call.pace = SLOWNESS
    await _well(call)


async def _revoked(call: Call) -> None:
    call.refuse(401)


_DOES: dict[str, Callable[[Call], Awaitable[None]]] = {
    "silent": _silent,
    "stall": _stall,
    "cut": _cut,
    "told": _told,
    "untold": _untold,
    "storm": _storm,
    "partial": _storm,
    "revoked": _revoked,
    "slow": _slow,
}


class FaultyUpstream:
    """Answers requests; `bills` are by case."""

    def __init__(self) -> None:
        self.bills = {name: Bill() for name in BY_NAME}

    async def answer(
        self, head: str, body: bytes, writer: asyncio.Transport, gone: asyncio.Event
    ) -> None:
        path = head.split(" ", 2)[1]
        if path == "/_bill":
            self._tell_bill(writer)
            return
        if not path.endswith("/chat/completions"):
            writer.write(b"HTTP/1.1 404 Said\r\ncontent-length: 0\r\n\r\n")
            return
        _, name, who, *_ = path.split("/")
        case, bill = BY_NAME[name], self.bills[name]
        bill.requests += 1
        wrong = who == "primary" and bill.chance.random() < case.share
        if case.shape == "keys":
            wrong = header(head, "authorization").removeprefix("bearer ") in REVOKED
        call = Call(case, bill, bool(json.loads(body).get("stream")), writer, gone)
        with suppress(Left):
            await (_DOES[name] if wrong else _well)(call)

    def _tell_bill(self, writer: asyncio.Transport) -> None:
        told = json.dumps({name: bill.told() for name, bill in self.bills.items()}).encode()
        self.bills = {name: Bill() for name in BY_NAME}
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told))


class Wire(asyncio.Protocol):
    """One connection: one request after another, and whether its client is still there."""

    def __init__(self, upstream: FaultyUpstream) -> None:
        self._upstream = upstream
        self._data = b""
        self._gone = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._gone.set()

    def data_received(self, data: bytes) -> None:
        self._data += data
        raw, mark, body = self._data.partition(b"\r\n\r\n")
        if not mark:
            return
        head = raw.decode("latin-1").lower()
        if len(body) < int(header(head, "content-length") or "0"):
            return
        self._data = b""
        answering = self._upstream.answer(head, body, self._transport, self._gone)
        task = asyncio.get_running_loop().create_task(answering)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)


def header(head: str, name: str) -> str:
    for line in head.split("\r\n"):
        key, _, value = line.partition(":")
        if key == name:
            return value.strip()
    return ""


async def serve() -> None:
    upstream = FaultyUpstream()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Wire(upstream), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
