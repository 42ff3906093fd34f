"""CPU of a plain request that its target answers at once, from its bytes to its receipt written.

A gateway's parts stand in one process, with its caller and its provider in memory, so that no
socket's cost hides what the stages cost. Another checkout may be measured in turn with this one,
each run in a process of its own: this file is then run as a script over that checkout's sources.
"""

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop

from tidegate.core import key as keys_of
from tidegate.core.key import KeyRecord
from tidegate.core.plan import HttpBounds, JournalBounds, Plan, Release, Replica, Route, Target
from tidegate.core.price import Price, Rate
from tidegate.gateway.front import Front
from tidegate.gateway.http.listener import Listener
from tidegate.gateway.http.server import Connection
from tidegate.gateway.journal import Journal
from tidegate.gateway.keys import Keys
from tidegate.gateway.plan_feed import PlanFeed
from tidegate.gateway.prepared import Preparer
from tidegate.gateway.process import GC_THRESHOLDS
from tidegate.gateway.world import World
from tidegate.stores.memory_counters import memory_counters

ROUNDS = 9
BATCHES, BATCH = 40, 100
BAR_US = 8.0
KINDS = ("whole", "stream", "long")
T = TypeVar("T")
_PEPPER = b"p" * 32
_WHOLE = (
    b'{"id":"a","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}'
)
_EVENTS = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Hi "},"finish_reason":null}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}\n\n',
    b"data: [DONE]\n\n",
)


def run(beside: Path | None) -> int:
    """Prints the CPU of each kind, beside that of another checkout if one is given; -> how many
    kinds cost more than the bar allows."""
    here = Path(__file__).parent.parent
    roots = [here] if beside is None else [beside.resolve(), here]
    over = 0
    for kind in KINDS:
        rounds = [[in_process_us(root, kind) for root in roots] for _ in range(ROUNDS)]
        medians = [statistics.median(of_root) for of_root in zip(*rounds, strict=True)]
        said = f"{kind}: {medians[-1]:.1f} us of CPU a request"
        if beside is not None:
            more_us = statistics.median(after - before for before, after in rounds)
            over += more_us > BAR_US
            said += f", {beside} {medians[0]:.1f}: {more_us:+.1f} us, bar {BAR_US:+.1f}"
        print(said, flush=True)
    return over


def in_process_us(root: Path, kind: str) -> float:
    """One run of `root`, in a process of its own."""
    environ = {**os.environ, "PYTHONPATH": str(root / "src"), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-P", __file__, kind]  # not this folder's names before all others
    return float(subprocess.run(command, env=environ, capture_output=True, check=True).stdout)


class _Wire(asyncio.Transport):
    """One end of a connection: `say` is told what is written to it."""

    def __init__(self, say: Callable[[bytes], None]) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self._say = say

    def write(self, data: Any) -> None:
        self._say(bytes(data))

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        del high, low


class _Loop(uvloop.Loop):
    """Connections lead to a provider that answers each request with the same `parts`."""

    parts: list[bytes]

    async def create_connection(self, factory: Any, *_: Any, **__: Any) -> Any:
        protocol = factory()
        wire = _Wire(lambda _: self._answer(protocol))
        protocol.connection_made(wire)
        return wire, protocol

    def _answer(self, protocol: Any) -> None:
        for part in self.parts:
            self.call_soon(protocol.data_received, part)


class _Caller:
    """A client that asks again once it has heard an answer's end."""

    def __init__(self, connection: Connection, request: bytes, end: bytes) -> None:
        self._connection, self._request, self._end = connection, request, end
        self._heard = b""
        self._done: asyncio.Future[None]
        connection.connection_made(_Wire(self._hear))

    async def ask(self) -> None:
        self._done = asyncio.get_running_loop().create_future()
        self._connection.data_received(self._request)
        await self._done
        await asyncio.sleep(0)  # the connection takes the next one

    def _hear(self, data: bytes) -> None:
        self._heard += data
        if self._heard.endswith(self._end):
            assert self._heard.startswith(b"HTTP/1.1 200"), self._heard
            self._heard = b""
            self._done.set_result(None)


async def _world(folder: Path, **fields: Any) -> tuple[World, str]:
    """A gateway with one route of one target, without limits, and a key for it. `fields` are more
    of the route's."""
    key_id, key = keys_of.generate()
    digest = keys_of.digest_of(key.encode(), _PEPPER)
    record = KeyRecord(
        id=key_id,
        digest=digest,
        pepper_version=1,
        name="k",
        team="t",
        routes=("*",),
        created_at_s=1.0,
    )
    journal = Journal(folder / "journal", JournalBounds())
    journal.open()
    world = World("gateway-0", Keys({key_id: record}, {1: _PEPPER}), journal)
    world.listener = Listener(Front(world).answer, HttpBounds())
    price = Price("v1", "plan", input=Rate(1_000_000_000), output=Rate(2_000_000_000))
    replicas = (Replica("r", "http", "127.0.0.1", 1, "/v1"),)
    target = Target("small", "up", "openai_compatible", "served", replicas, price=price)
    routes = {"small": Route("small", Release("small-1", target), **fields)}
    (folder / "plan").write_bytes(msgspec.msgpack.encode(Plan(1, "digest", 1.0, routes)))
    feed = PlanFeed(world, Preparer({}, memory_counters), _never)
    assert await feed.load(folder / "plan")
    return world, key


def _never() -> Any:
    raise AssertionError("nobody asks here how this gateway does")


def _request(key: str, kind: str) -> bytes:
    """One that is `long` has 4 KB of text, and blanks between its members as Python's own `json`
    writes them."""
    body = b'{"model":"small","messages":[{"role":"user","content":"hi"}]%b}' % (
        b',"stream":true' if kind == "stream" else b""
    )
    if kind == "long":
        said = [{"role": "user", "content": 'He said "hello", and then once more.\n' * 110}]
        body = json.dumps({"model": "small", "messages": said, "max_tokens": 400}).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer %b\r\n"
        b"content-length: %d\r\n\r\n%b" % (key.encode(), len(body), body)
    )


def _parts(kind: str) -> list[bytes]:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: "
    if kind != "stream":
        length = b"content-length: %d\r\n\r\n" % len(_WHOLE)
        return [head + b"application/json\r\n" + length + _WHOLE]
    framed = [b"%x\r\n%b\r\n" % (len(event), event) for event in _EVENTS]
    framed[-1] += b"0\r\n\r\n"
    return [head + b"text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n", *framed]


async def caller(folder: Path, kind: str, **fields: Any) -> "_Caller":
    """One who asks over and over, on the loop of now; `fields` are more of the route's."""
    world, key = await _world(folder, **fields)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)
    loop.parts = _parts(kind)
    end = b"0\r\n\r\n" if kind == "stream" else _WHOLE
    return _Caller(Connection(world.listener, Front(world).answer), _request(key, kind), end)


async def warm(*callers: "_Caller") -> None:
    """What is made once is made, and no collection of it falls into what is measured."""
    for one in callers:
        for _ in range(BATCH):
            await one.ask()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def batch_us(one: "_Caller", requests: int = BATCH) -> float:
    """Microseconds of the loop's thread a request, of one batch."""
    started_s = time.thread_time()
    for _ in range(requests):
        await one.ask()
    return (time.thread_time() - started_s) / requests * 1e6


async def _measure(folder: Path, kind: str) -> float:
    """The median of several batches."""
    asking = await caller(folder, kind)
    await warm(asking)
    return statistics.median([await batch_us(asking) for _ in range(BATCHES)])


def on_loop(main: Coroutine[Any, Any, T]) -> T:
    """Runs it where connections lead to a provider in memory."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)


def main(kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(on_loop(_measure(Path(folder), kind)))


if __name__ == "__main__":
    main(sys.argv[1])
