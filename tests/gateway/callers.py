"""Callers of every dialect, and a provider that answers by a script, on virtual time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from tests.gateway import virtual
from tests.gateway.reply import Reply
from tests.gateway.rig import HELLO, Gateway, plan_of
from tests.gateway.wires import Caller, Provider, WiredLoop

from tidegate.core import clock
from tidegate.core.plan import Plan, Target
from tidegate.core.receipt import Receipt
from tidegate.gateway import front, journal
from tidegate.gateway.http.server import Connection

DOWN = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
_MESSAGES = {"model": "small", "max_tokens": 9, "messages": HELLO["messages"]}
# Path and body of a request, by the caller's dialect or endpoint.
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", HELLO),
    "completions": ("/v1/completions", {"model": "small", "prompt": "hi"}),
    "responses": ("/v1/responses", {"model": "small", "input": "hi", "store": False}),
    "messages": ("/v1/messages", _MESSAGES),
    "embeddings": ("/v1/embeddings", {"model": "small", "input": "hi"}),
    "count_tokens": ("/v1/messages/count_tokens", _MESSAGES),
}


def throttled(wait_s: int) -> bytes:
    return b"HTTP/1.1 429 No\r\nretry-after: %d\r\ncontent-length: 0\r\n\r\n" % wait_s


class Scripted(Provider):
    """Gives these answers in turn, the last one again and again. None is silence; a list are parts
    with the seconds before each."""

    def __init__(self, *answers: bytes | list[tuple[float, bytes]] | None) -> None:
        self._left = list(answers)
        self.asked_s: list[float] = []

    async def connect(self, factory: Any) -> Any:
        self._chance = _Never()  # type: ignore[assignment]
        return await super().connect(factory)

    def _asked(self, protocol: Any, wire: Any, data: bytes) -> None:
        self.asked_s.append(virtual.now_s())
        answer = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        parts = [(0.0, answer)] if isinstance(answer, bytes) else answer or []
        at_s, loop = 0.0, asyncio.get_running_loop()
        for after_s, part in parts:
            at_s += after_s
            loop.call_later(at_s, _deliver, protocol, wire, part)


class _Never:
    def choice(self, options: list[float]) -> float:
        return options[0]


def _deliver(protocol: Any, wire: Any, part: bytes) -> None:
    if not wire.closed:
        protocol.data_received(part)


class Heard(Struct):
    """What came back, in which parts and when (seconds since it was asked), and the receipt.
    `left_alone` counts the breakers that have opened by it."""

    parts: list[tuple[float, bytes]]
    receipt: Receipt
    left_alone: int

    @property
    def data(self) -> bytes:
        return b"".join(part for _, part in self.parts)

    @property
    def reply(self) -> Reply:
        return Reply(self.data)

    @property
    def took_s(self) -> float:
        return self.parts[-1][0]


class _Listening(Caller):
    def __init__(self, connection: Connection) -> None:
        self.parts: list[tuple[float, bytes]] = []
        super().__init__(connection)

    def _hear(self, data: bytes) -> None:
        super()._hear(data)
        self.parts.append((virtual.now_s(), data))


def ask(
    folder: Path,
    patch: pytest.MonkeyPatch,
    plan: Plan | Target,
    provider: Provider,
    request: tuple[str, dict[str, Any]],
    headers: dict[str, str] | None = None,
) -> Heard:
    """One request of a gateway that obeys this plan; chance always draws the middle."""
    patch.setattr(clock, "monotonic_s", virtual.now_s)
    patch.setattr(clock, "fraction", lambda: 0.5)
    patch.setattr(journal, "_sync", lambda file: None)
    whole = plan_of(plan) if isinstance(plan, Target) else plan

    async def main() -> Heard:
        async with _gateway(folder, whole, provider) as it:
            caller = _Listening(Connection(it.world.listener, front.Front(it.world).answer))
            asked_s = virtual.now_s()
            path, body = request
            sent = {"authorization": f"Bearer {it.key}", **(headers or {})}
            caller.ask(it.request(path, body, sent))
            while not it.receipts():  # noqa: ASYNC110 - nothing announces one
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)
            caller.leave()
            parts = [(at_s - asked_s, part) for at_s, part in caller.parts]
            left_alone = sum(of.tripped.count for _, of in it.preparer.standing.targets())
            return Heard(parts, it.receipts()[0], left_alone)

    with asyncio.Runner(loop_factory=WiredLoop) as runner:
        return runner.run(main())


@contextlib.asynccontextmanager
async def _gateway(folder: Path, plan: Plan, provider: Provider) -> AsyncIterator[Gateway]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WiredLoop)
    loop.provider = provider
    it = Gateway(folder, journal.JournalBounds(), {})
    it.journal.open()
    assert await it.obey(plan)
    sweeper = virtual.sweeping(it.world.sweep)
    try:
        yield it
    finally:
        await asyncio.sleep(1.0)
        sweeper.cancel()
        for pool in it.preparer.pools.values():
            pool.close()
        await it.journal.close()
        it.world.keys.close()


def events(data: bytes) -> list[Any]:
    """What the stream's events say, in order."""
    lines = data.split(b"\n")
    return [msgspec.json.decode(line[6:]) for line in lines if line.startswith(b"data: {")]
