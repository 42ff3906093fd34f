"""Gateways as processes of their own, on a state directory laid out as control does it."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec
from tests.gateway.reply import Reply
from tests.gateway.rig import PEPPER, make_key, spawn
from tests.stores.rig import migrated

from tidegate.core.key import KeyRecord
from tidegate.core.layout import Layout
from tidegate.core.plan import Plan
from tidegate.stores import keys
from tidegate.stores.audit import Author


def lay_out(folder: Path, plan: Plan, **fields: Any) -> tuple[Layout, str]:
    """A state directory with a plan, a pepper and one key with these fields; the key."""
    layout = Layout(folder)
    for path in (layout.state, layout.run):
        path.mkdir(exist_ok=True)
    layout.pepper.write_bytes(PEPPER)
    layout.plan.write_bytes(msgspec.msgpack.encode(plan))
    engine = migrated(layout.ledger_db)
    key, record = make_key(**fields)
    keys.create(engine, record, Author("test", 1.0))
    engine.dispose()
    assert isinstance(record, KeyRecord)
    return layout, key


class Spawned:
    """One gateway process. Without `sock` it binds a free port of its own."""

    def __init__(self, layout: Layout, slot: int = 0, sock: socket.socket | None = None) -> None:
        self.layout = layout
        self.slot = slot
        self.address = ("", 0)
        self.log = b""
        self._sock = sock
        self.process: asyncio.subprocess.Process

    @property
    def journal(self) -> Path:
        return self.layout.journal_of(f"gateway-{self.slot}")

    async def start(self, *program: str) -> None:
        """Starts, and waits until it listens. `program` in place of the gateway's own entry."""
        where = ("--listen", "127.0.0.1:0")
        pass_fds: tuple[int, ...] = ()
        if self._sock is not None:
            where = ("--listen-fd", str(self._sock.fileno()))
            pass_fds = (self._sock.fileno(),)
        self.process = await spawn(
            sys.executable,
            *(program or ("-m", "tidegate.gateway")),
            *("--state", str(self.layout.state), "--slot", str(self.slot)),
            *where,
            pass_fds=pass_fds,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stderr is not None
        while True:
            line = await self.process.stderr.readline()
            self.log += line
            assert line, self.log.decode()
            if found := re.search(rb"listening on (\S+):(\d+)", line):
                self.address = (found[1].decode(), int(found[2]))
                break
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        while data := await self.process.stderr.read(65536):
            self.log += data

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal and waits; the exit status."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        status = await self.process.wait()
        await self._reading
        return status


def post(key: str, body: object, path: str = "/v1/chat/completions", close: bool = True) -> bytes:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    persistence = "connection: close\r\n" if close else ""
    head = f"POST {path} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {key}\r\n{persistence}"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


async def ask(address: tuple[str, int], request: bytes) -> Reply:
    """One request on a connection of its own; as much of the answer as came. OSError."""
    reader, writer = await asyncio.open_connection(*address)
    data = b""
    try:
        writer.write(request)
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(1 << 16):
                data += part
    finally:
        writer.transport.abort()
    return Reply(data)
