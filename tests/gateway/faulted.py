"""Providers that fail in every way at random, and callers of three dialects who ask them.

`storm` sends the requests; what is left of them afterwards is for a test to look at.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from tests.gateway.reply import Reply
from tests.gateway.rig import CHAT, HELLO, Gateway
from tests.gateway.test_wires import SAID, STREAMED
from tests.gateway.upstream import (
    DONE,
    OK,
    STREAM_HEAD,
    USAGE,
    Exchange,
    answer_bytes,
    chunk,
    completion,
    content,
    delta,
    usage_chunk,
)
from tests.providers import responses_wire

MESSAGES, RESPONSES = "/v1/messages", "/v1/responses"
ASKED: Final[dict[str, dict[str, Any]]] = {
    CHAT: HELLO,
    MESSAGES: {**HELLO, "max_tokens": 50},
    RESPONSES: {"model": "small", "input": "hi", "store": False},
}
# A stream ends properly or with one of these.
FAILS: Final = {
    CHAT: b'data: {"error"',
    MESSAGES: b"event: error\n",
    RESPONSES: b"event: error\n",
}
CALLERS = 48
PAUSE_S = 0.01
# Longer than any deadline of the test's plan: who waits so long was forgotten.
HANGS_S = 20.0

_CHAT_STREAM = b"".join(
    chunk(b"data: " + event + b"\n\n")
    for event in (content("one "), content("two "), delta({}, "stop"), usage_chunk(USAGE))
) + chunk(DONE)
_RESPONSES_STREAM = responses_wire.chat("high ", "tide")
_STREAMS: Final = {
    b"/v1/chat/completions": _CHAT_STREAM + b"0\r\n\r\n",
    b"/v1/messages": chunk(STREAMED) + b"0\r\n\r\n",
    b"/v1/responses": chunk(_RESPONSES_STREAM) + b"0\r\n\r\n",
}
_WHOLE: Final = {
    b"/v1/chat/completions": completion(),
    b"/v1/messages": SAID,
    b"/v1/responses": responses_wire.response(),
}
_NO = b'{"error": {"message": "no", "type": "server_error"}}'


class Faults:
    """A provider of three wires; `did` counts what happened to its requests."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.did: Counter[str] = Counter()

    async def __call__(self, exchange: Exchange) -> None:
        name = self.chance.choices(tuple(_FAULTS), _WEIGHTS)[0]
        self.did[name] += 1
        await _FAULTS[name][1](exchange, self.chance)


def _answer(exchange: Exchange) -> bytes:
    path = exchange.path
    if exchange.json.get("stream"):
        return STREAM_HEAD + _STREAMS[path]
    body = msgspec.json.encode(_WHOLE[path])
    return OK + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


async def _well(exchange: Exchange, _: random.Random) -> None:
    exchange.send(_answer(exchange))


async def _slow(exchange: Exchange, chance: random.Random) -> None:
    """In pieces of any size, with a pause before each."""
    left = _answer(exchange)
    while left:
        await asyncio.sleep(chance.random() * PAUSE_S)
        size = chance.randint(1, max(len(left), 1))
        exchange.send(left[:size])
        left = left[size:]


async def _reset(exchange: Exchange, _: random.Random) -> None:
    exchange.transport.abort()


async def _silent(exchange: Exchange, _: random.Random) -> None:
    await exchange.closed.wait()


async def _stalled(exchange: Exchange, chance: random.Random) -> None:
    answer = _answer(exchange)
    exchange.send(answer[: chance.randrange(len(answer))])
    await exchange.closed.wait()


async def _cut(exchange: Exchange, chance: random.Random) -> None:
    answer = _answer(exchange)
    exchange.send(answer[: chance.randrange(len(answer))])
    (exchange.transport.abort if chance.random() < 0.5 else exchange.transport.close)()


async def _malformed(exchange: Exchange, chance: random.Random) -> None:
    """One byte of it is another, or an event is half a JSON object."""
    answer = _answer(exchange)
    at = chance.randrange(len(OK), len(answer))
    exchange.send(answer[:at] + bytes([chance.randrange(256)]) + answer[at + 1 :])
    exchange.transport.close()


async def _throttled(exchange: Exchange, chance: random.Random) -> None:
    """With a short time to wait, and now and then with none or nonsense, for which a credential is
    left alone for a second and more: too many of those, and nobody would be asked any more."""
    told = ["0", "0.05"] if chance.random() < 0.9 else ["-3", "soon", ""]
    headers = [("retry-after", text) for text in [chance.choice(told)] if text]
    exchange.send(answer_bytes(429, _NO, headers))


async def _storm(exchange: Exchange, chance: random.Random) -> None:
    exchange.send(answer_bytes(chance.choice([500, 502, 503, 504, 529]), _NO))


_Fault = Callable[[Exchange, random.Random], Any]
_FAULTS: Final[dict[str, tuple[int, _Fault]]] = {
    "well": (30, _well),
    "slow": (20, _slow),
    "reset": (10, _reset),
    "silent": (5, _silent),
    "stalled": (8, _stalled),
    "cut": (15, _cut),
    "malformed": (10, _malformed),
    "throttled": (2, _throttled),
    "storm": (15, _storm),
}
_WEIGHTS: Final = tuple(weight for weight, _ in _FAULTS.values())


class Callers:
    """So many requests by callers at once, some of whom leave. `ends` counts how they ended."""

    def __init__(self, it: Gateway, chance: random.Random) -> None:
        self.it = it
        self.chance = chance
        self.ends: Counter[str] = Counter()
        self.ids: list[str] = []
        self._left = 0

    async def storm(self, count: int) -> None:
        self._left = count
        await asyncio.gather(*(self._caller() for _ in range(CALLERS)))

    async def _caller(self) -> None:
        while self._left > 0:
            self._left -= 1
            path = self.chance.choice(tuple(ASKED))
            stream = self.chance.random() < 0.6
            self.ends[await self._one(path, stream)] += 1

    async def _one(self, path: str, stream: bool) -> str:
        headers = {"authorization": f"Bearer {self.it.key}"}
        if self.chance.random() < 0.1:
            headers["x-tidegate-timeout"] = f"{self.chance.uniform(0.001, 0.1):.4f}"
        request = self.it.request(path, {**ASKED[path], "stream": stream}, headers)
        stays_s = self.chance.random() * 0.1 if self.chance.random() < 0.2 else HANGS_S
        reader, writer = await self.it.connect()
        try:
            writer.write(request)
            async with asyncio.timeout(stays_s):
                raw = await _read(reader)
        except TimeoutError:
            assert stays_s < HANGS_S, f"nobody answered {path}"
            return "left"
        finally:
            writer.transport.abort()
        return self._became(Reply(raw), path, stream)

    def _became(self, reply: Reply, path: str, stream: bool) -> str:
        """How it ended, as its caller can know. AssertionError where nobody told it."""
        self.ids.append(reply.headers["x-request-id"])
        if reply.status != 200:
            assert reply.whole and b'"error"' in reply.body, reply.raw
            return f"{reply.status}"
        if not stream:
            assert reply.whole, reply.raw
            return "whole"
        assert reply.whole is not (FAILS[path] in reply.body), reply.raw
        return "streamed" if reply.whole else "error event"


async def _read(reader: asyncio.StreamReader) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(1 << 20):
            data += part
    return data


def counted(did: Sequence[Counter[str]]) -> str:
    """What happened, in words."""
    return "; ".join(", ".join(f"{n} {c}" for n, c in sorted(it.items())) for it in did)
