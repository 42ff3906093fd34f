"""One gateway in this process, on real sockets: its parts as `process` puts them together, less
the ticker, so that a test says itself what time it is."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from tests.gateway.reply import Reply

from tidegate.core import key as keys_of
from tidegate.core.caller import Revocation
from tidegate.core.frames import frames
from tidegate.core.key import KeyRecord
from tidegate.core.layout import Layout
from tidegate.core.plan import HttpBounds, JournalBounds, Plan, Release, Replica, Route, Target
from tidegate.core.price import Price, Rate
from tidegate.core.receipt import SEGMENT_MAGIC, Receipt, decode_payload
from tidegate.core.resilience import Retry
from tidegate.gateway.front import Front
from tidegate.gateway.http.listener import Listener
from tidegate.gateway.issuers import Issuers
from tidegate.gateway.journal import Journal
from tidegate.gateway.keys import Keys
from tidegate.gateway.plan_feed import PlanFeed
from tidegate.gateway.prepared import Preparer
from tidegate.gateway.vitals import Vitals
from tidegate.gateway.world import World
from tidegate.stores.memory_counters import memory_counters

PATIENCE_S = 30.0
PEPPER = b"p" * 32
PRICE = Price("plan:test", "plan", input=Rate(1_000_000_000), output=Rate(2_000_000_000))
FREE = Price("free", "free")
CHAT = "/v1/chat/completions"
_children: list[tuple[asyncio.AbstractEventLoop, asyncio.subprocess.Process]] = []
HELLO: dict[str, Any] = {"model": "small", "messages": [{"role": "user", "content": "hi"}]}


def run(main: Coroutine[Any, Any, None], patience_s: float = PATIENCE_S) -> None:
    """Runs a test's coroutine on the loop that the gateway runs on."""

    async def bounded() -> None:
        try:
            async with asyncio.timeout(patience_s):
                await main
        finally:
            await _end_children()

    uvloop.run(bounded())


async def spawn(*program: str, **options: Any) -> asyncio.subprocess.Process:
    """A child process that does not outlive a test, or the loop could never be closed."""
    process = await asyncio.create_subprocess_exec(*program, **options)
    _children.append((asyncio.get_running_loop(), process))
    return process


async def _end_children() -> None:
    while _children:
        loop, process = _children.pop()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            if loop is asyncio.get_running_loop():  # another's was left by a test that failed
                await process.wait()


AT_ONCE_TURNS = 500


async def until(true: Callable[[], object]) -> None:
    """Turns the loop until something is so. What takes many turns is another process's, which
    needs the processor that turning would take."""
    turns = 0
    while not true():
        await asyncio.sleep(0 if turns < AT_ONCE_TURNS else 0.001)
        turns += 1


def target(port: int, name: str = "small", **fields: Any) -> Target:
    replicas = (Replica(f"127.0.0.1:{port}", "http", "127.0.0.1", port, "/v1"),)
    values: dict[str, Any] = {
        "provider": "up",
        "dialect": "openai_compatible",
        "model": "served-model",
        "replicas": replicas,
        "price": PRICE,
        **fields,
    }
    return Target(name=name, **values)


def plan_of(*targets: Target, version: int = 1, **fields: Any) -> Plan:
    """A plan with a route of the same name for each target, asked once."""
    once = Retry(attempts=1)
    routes = {t.name: Route(t.name, Release(f"{t.name}-1", t), retry=once) for t in targets}
    routes |= fields.pop("routes", {})
    return Plan(version, f"digest-{version}", 1_700_000_000.0, routes, **fields)


def make_key(name: str = "k", **fields: Any) -> tuple[str, KeyRecord]:
    key_id, key = keys_of.generate()
    values: dict[str, Any] = {"team": "team-a", "routes": ("*",), "created_at_s": 1.0, **fields}
    digest = keys_of.digest_of(key.encode(), PEPPER)
    return key, KeyRecord(id=key_id, digest=digest, pepper_version=1, name=name, **values)


class FakeStore:
    """The store's seam: rows in memory. `before` runs inside each read, on the reader's thread."""

    def __init__(self) -> None:
        self.rows: dict[str, KeyRecord] = {}
        self.reads: list[str] = []
        self.before: Callable[[], None] | None = None
        self.error: Exception | None = None
        self.revocations: dict[str, Revocation] = {}

    def add(self, **fields: Any) -> str:
        key, record = make_key(**fields)
        self.rows[record.id] = record
        return key

    def get(self, key_id: str) -> KeyRecord | None:
        self.reads.append(key_id)
        row = self.rows.get(key_id)
        if self.before is not None:
            self.before()
        if self.error is not None:
            raise self.error
        return row

    def revoked(self, ids: tuple[str, ...]) -> list[Revocation]:
        if self.error is not None:
            raise self.error
        return [self.revocations[one] for one in ids if one in self.revocations]


class Gateway:
    """The parts of one gateway process; `address` is where it listens."""

    def __init__(self, folder: Path, journal: JournalBounds, environ: dict[str, str]) -> None:
        self.layout = Layout(folder)
        self.store = FakeStore()
        self.journal = Journal(self.layout.journal_of("gateway-0"), journal)
        self.world = World("gateway-0", Keys(self.store, {1: PEPPER}), self.journal)
        self.world.listener = Listener(Front(self.world).answer, HttpBounds())
        self.preparer = Preparer(environ, memory_counters)
        self.preparer.issuers = Issuers(self.layout.issuers, self.world.keys, environ)
        self.vitals = Vitals(self.world, self.preparer)
        self.feed = PlanFeed(self.world, self.preparer, self.vitals.status)
        self.key = self.store.add()
        self.address = ("", 0)

    async def obey(self, plan: Plan) -> bool:
        self.layout.plan.write_bytes(msgspec.msgpack.encode(plan))
        return await self.feed.load(self.layout.plan)

    def receipts(self) -> list[Receipt]:
        """What is in the journal's files now, in order."""
        return read_journal(self.journal.folder)

    async def receipt(self, count: int = 1) -> Receipt:
        """The `count`-th receipt, once it is in the journal."""
        await until(lambda: len(self.receipts()) >= count)
        return self.receipts()[count - 1]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.address)

    async def ask(
        self,
        path: str = CHAT,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        method: str = "POST",
    ) -> Reply:
        """One request on a connection of its own, read to the connection's end."""
        reader, writer = await self.connect()
        try:
            writer.write(self.request(path, body, headers, method=method))
            return Reply(await _read_all(reader))
        finally:
            writer.transport.abort()

    def request(
        self,
        path: str = CHAT,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        method: str = "POST",
        close: bool = True,
    ) -> bytes:
        """The bytes of a request; `headers` None sends the rig's key as a Bearer."""
        data = b"" if method != "POST" else _body(HELLO if body is None else body)
        lines = [f"{method} {path} HTTP/1.1", "host: gateway"]
        if close:
            lines.append("connection: close")
        if headers is None:
            headers = {"authorization": f"Bearer {self.key}"}
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if method == "POST":
            lines.append(f"content-length: {len(data)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data


def _body(body: Any) -> bytes:
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(1 << 20):
            data += part
    return data


@contextlib.asynccontextmanager
async def gateway(
    folder: Path,
    *targets: Target,
    journal: JournalBounds | None = None,
    environ: dict[str, str] | None = None,
    **plan_fields: Any,
) -> AsyncIterator[Gateway]:
    """A gateway that obeys a plan of these targets; without any it has no plan."""
    bounds = journal or JournalBounds()
    it = Gateway(folder, bounds, environ or {})
    it.journal.open()
    if targets:
        assert await it.obey(plan_of(*targets, journal=bounds, **plan_fields))
    sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
    it.address = await it.world.listener.listen(sock, None)
    try:
        yield it
    finally:
        it.world.listener.stop_accepting()
        it.world.listener.abort_all()
        await until(lambda: not it.world.listener.connections)
        for pool in it.preparer.pools.values():
            pool.close()
        await until(lambda: not any(pool.open for pool in it.preparer.pools.values()))
        await it.journal.close()
        it.world.keys.close()


def read_journal(folder: Path) -> list[Receipt]:
    """Every receipt of a journal's folder. AssertionError where a frame is damaged."""
    out = []
    for path in sorted(folder.glob("*.journal")):
        data = path.read_bytes()
        if SEGMENT_MAGIC.startswith(data):
            continue  # killed before it was begun
        assert data.startswith(SEGMENT_MAGIC)
        for _, payload in frames(data, len(SEGMENT_MAGIC)):
            assert payload is not None
            out.append(decode_payload(payload))
    return out
