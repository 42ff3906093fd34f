"""A simulated engine in this process, and a client that sees every byte."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from tidegate.capacity.profiles import profile
from tidegate.sim.options import Options
from tidegate.sim.script import parse_line
from tidegate.sim.server import Running, serve

CHAT = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "hello there, how are you?"}]


class Reply(msgspec.Struct):
    """An answer as far as it came. `whole` says that its framing ended properly."""

    status: int
    headers: list[tuple[str, str]]
    raw: bytes
    body: bytes
    whole: bool
    reset: bool

    def json(self):
        return msgspec.json.decode(self.body)

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    def events(self) -> list:
        """Data of each event: decoded JSON, or text where it is none."""
        out = []
        for block in self.body.decode().replace("\r\n", "\n").split("\n\n"):
            lines = [line for line in block.split("\n") if line.startswith("data:")]
            if not lines:
                continue
            data = "\n".join(line[5:].removeprefix(" ") for line in lines)
            try:
                out.append(msgspec.json.decode(data))
            except msgspec.DecodeError:
                out.append(data)
        return out

    def text(self) -> str:
        """The content of choice 0 of a chat stream."""
        return "".join(
            choice["delta"].get("content") or ""
            for event in self.events()
            if isinstance(event, dict) and "choices" in event
            for choice in event["choices"]
            if choice["index"] == 0
        )


@asynccontextmanager
async def engine(*faults: str, **options) -> AsyncIterator[Running]:
    """`faults` are lines of a script. The profile is `instant` unless given by name."""
    chosen = profile(options.pop("profile", "instant"))
    if "context" in options:
        chosen = msgspec.structs.replace(chosen, max_model_len=options.pop("context"))
    cues = tuple(parse_line(line) for line in faults)
    running = await serve(Options(profile=chosen, faults=cues, **options))
    try:
        yield running
    finally:
        await running.close()


def request_bytes(path: str, body: bytes | None, headers: dict[str, str] | None = None) -> bytes:
    method = "GET" if body is None else "POST"
    lines = [f"{method} {path} HTTP/1.1", "host: sim", "connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


async def call(running: Running, path: str, body=None, headers=None) -> Reply:
    """One request on a connection of its own, read to the connection's end."""
    if body is not None and not isinstance(body, bytes):
        body = msgspec.json.encode(body)
    reader, writer = await asyncio.open_connection(running.host, running.port)
    raw, was_reset = b"", False
    try:
        writer.write(request_bytes(path, body, headers))
        while data := await reader.read(1 << 20):
            raw += data
    except ConnectionResetError:
        was_reset = True
    finally:
        writer.close()
    return _parse(raw, was_reset)


async def until(true: Callable[[], bool]) -> None:
    """Turns the event loop until something holds; the test's own time limit bounds it."""
    while not true():  # noqa: ASYNC110 - nothing announces what tests wait for here
        await asyncio.sleep(0)


async def chat(running: Running, **members) -> Reply:
    members = {"model": "sim", "messages": HELLO, **members}
    headers = members.pop("headers", None)
    return await call(running, CHAT, members, headers)


def _parse(raw: bytes, was_reset: bool) -> Reply:
    head, _, rest = raw.partition(b"\r\n\r\n")
    if not head:
        return Reply(0, [], raw, b"", False, was_reset)
    lines = head.decode("latin-1").split("\r\n")
    headers = [
        (name.lower(), value.strip())
        for name, _, value in (line.partition(":") for line in lines[1:])
    ]
    found = dict(headers)
    if found.get("transfer-encoding") == "chunked":
        body, whole = _dechunk(rest)
    else:
        body, whole = rest, len(rest) == int(found.get("content-length", -1))
    return Reply(int(lines[0].split()[1]), headers, raw, body, whole, was_reset)


def _dechunk(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        size_text, found, after = rest.partition(b"\r\n")
        try:
            size = int(size_text, 16)
        except ValueError:
            return body, False
        if not found or len(after) < size + 2:
            return body + after[:size], False
        if size == 0:
            return body, True
        body += after[:size]
        rest = after[size + 2 :]
