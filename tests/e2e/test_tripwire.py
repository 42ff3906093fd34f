"""Whatever is sent to it, a gateway runs nothing, writes nothing outside its state, connects to
nobody but its providers, and answers in its own error shape; the seed is printed."""

import asyncio
import contextlib
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import tripwire
from tests.e2e.tripwire import Tripwire
from tests.gateway.http.grid import MALFORMED, ODD
from tests.gateway.reply import Reply
from tests.gateway.rig import HELLO, plan_of, read_journal, run, target
from tests.gateway.spawned import Spawned, ask, lay_out, post
from tests.gateway.upstream import USAGE, Exchange, Upstream, streaming, whole

SEED = 20_263
MUTATED = 1500
AT_ONCE = 32
# What is not whole by then is not going to be: its sender has sent all that it has.
GIVE_UP_S = 0.5
PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")
EMBEDDED = {"data": [{"embedding": [0.5], "index": 0}], "model": "m", "usage": USAGE}

VALUES: tuple[bytes, ...] = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1.5", b"1e400", b"-0", b"1E+2", b'""', b'"x"'),
    *(b"[]", b"{}", b"[[]]", b'[{"role":"user"}]', b'[{"role":1,"content":{}}]', b"[null]", b"NaN"),
    *(b'"\\ud800"', b'"\\u0000"', b'"../../etc/passwd"', b'"; rm -rf /"', b'"${jndi:ldap://x/a}"'),
    *(b"\"__import__('os').system('x')\"", b'"http://169.254.169.254/"', b'"file:///etc/passwd"'),
    *(b"9" * 64, b"9" * 5000, b"[" * 63 + b"]" * 63, b"[" * 5000 + b"]" * 5000, b'"\xff"'),
    b'"' + b"a" * 100_000 + b'"',
    b"[" + b"{}," * 5000 + b"{}]",
)
NAMES: tuple[bytes, ...] = (
    *(b"model", b"Model", b"messages", b"prompt", b"input", b"stream", b"stream_options", b"n"),
    *(b"max_tokens", b"max_completion_tokens", b"temperature", b"stop", b"tools", b"user"),
    *(b"response_format", b"logprobs", b"metadata", b"seed", b"__proto__", b"$ref", b"api_base"),
    *(b"base_url", b"api_key", b"callback", b"extra_headers", b"\\u006dodel", b""),
)
BODIES: tuple[bytes, ...] = (
    *(b"", b" ", b"[]", b"1", b"{", b"}", b"{}{}", b"\xef\xbb\xbf{}", b"\x00", b"\xff\xfe{\x00"),
    *(b'{"a":1,"a":2}', b'{"model":"small","model":"other"}', b"{" * 100_000, b"[" * 100_000),
    *(b'{"a":' * 70 + b"1" + b"}" * 70, b"<?xml version='1.0'?><!DOCTYPE a SYSTEM 'file:///x'>"),
    *(b"!!python/object/apply:os.system ['x']", b"\x80\x04\x95cos\nsystem\n", b"{{7*7}}"),
)


def odd_json(key: str) -> Iterator[bytes]:
    """Requests that are good HTTP around odd JSON."""
    for path in PATHS:
        for body in BODIES:
            yield post(key, body, path)
    for name in NAMES:
        for value in VALUES:
            given = b'"messages":[{"role":"user","content":"hi"}],"prompt":"hi","input":"hi"'
            yield post(key, b'{"model":"small",%b,"%b":%b}' % (given, name, value), PATHS[0])


def mutated(key: str, chance: random.Random) -> Iterator[bytes]:
    """Good requests, each damaged in a few places."""
    good = [post(key, {**HELLO, "prompt": "p", "input": "i"}, path) for path in PATHS]
    good.append(post(key, {**HELLO, "stream": True, "n": 2}))
    good.append(b"GET /v1/models/small HTTP/1.1\r\nhost: g\r\napi-key: %b\r\n\r\n" % key.encode())
    junk = (b"\r\n", b"\n", b"\x00", b"\xff", b" ", b":", b'"', b"{", b"]", b"%00", b"0", b"\\")
    for _ in range(MUTATED):
        request = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(request))
            new = chance.choice([*junk, chance.randbytes(chance.randint(0, 6))])
            request[at : at + chance.randint(0, 3)] = new
        yield bytes(request)


async def any_answer(exchange: Exchange) -> None:
    """What a provider says that minds nothing."""
    if b'"stream":true' in exchange.body.replace(b" ", b""):
        await streaming(3)(exchange)
    elif exchange.path.endswith(b"/embeddings"):
        await whole(EMBEDDED)(exchange)
    else:
        await whole()(exchange)


async def first_answer(address: tuple[str, int], request: bytes) -> Reply:
    """The first answer to `request`, or as much as there is of it."""
    reader, writer = await asyncio.open_connection(*address)
    data = b""
    try:
        writer.write(request)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(GIVE_UP_S):
                while part := await reader.read(1 << 16):
                    data = (data + part).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
                    if b"\r\n\r\n" in data and is_whole(data):
                        break
    finally:
        writer.transport.abort()
    return Reply(data)


def is_whole(data: bytes) -> bool:
    reply = Reply(data)
    length = reply.headers.get("content-length")
    return reply.whole if length is None else len(reply.body) >= int(length)


def first_only(reply: Reply) -> Reply:
    """Without what a pipelined request was told after it."""
    length = reply.headers.get("content-length")
    if length is not None:
        reply.body = reply.body[: int(length)]
    return reply


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_no_request_trips_a_wire_or_finds_a_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    record = tmp_path / "tripped"
    statuses: list[int] = []

    async def main() -> None:
        async with Upstream(any_answer) as up:
            monkeypatch.setenv("TRIPWIRE", str(record))
            monkeypatch.setenv("TRIPWIRE_PEERS", f"127.0.0.1:{up.port}")
            monkeypatch.setenv("TRIPWIRE_LOOP", loop)
            layout, key = lay_out(tmp_path / "state", plan_of(target(up.port)))
            it = Spawned(layout)
            await it.start(tripwire.__file__)
            requests = [
                *MALFORMED.values(),
                *(data for data, _ in ODD.values()),
                *odd_json(key),
                *mutated(key, random.Random(SEED)),
            ]

            async def one_after_the_other() -> None:
                while requests:
                    request = requests.pop()
                    reply = first_only(await first_answer(it.address, request))
                    statuses.append(reply.status)
                    assert reply.status < 500, (request[:300], reply.raw)
                    if reply.status >= 400:
                        assert reply.code, (request[:300], reply.raw)

            async with asyncio.TaskGroup() as tasks:
                for _ in range(AT_ONCE):
                    tasks.create_task(one_after_the_other())
            assert (await ask(it.address, post(key, HELLO))).status == 200
            assert await it.end() == 0
            assert b"stood still" not in it.log
            assert b"Traceback" not in it.log
            assert not [r for r in read_journal(it.journal) if r.error_fault == "gateway"]

    run(main())
    answered = [status for status in statuses if status]
    print(f"\nseed {SEED}, {loop}: {len(statuses)} requests, {len(answered)} answered")
    assert len(statuses) > 2000
    assert {200, 400, 401, 404} <= set(answered)
    assert record.read_text() == "armed\n"


@pytest.mark.parametrize(
    ("event", "args", "objects"),
    [
        ("subprocess.Popen", ("sh", ["sh"], None, None), True),
        ("os.system", (b"true",), True),
        ("exec", (compile("1", "x", "exec"),), True),
        ("compile", (b"1", "x"), True),
        ("open", ("/srv/elsewhere", "w", os.O_WRONLY | os.O_CREAT), True),
        ("open", ("/srv/elsewhere", "r", os.O_RDONLY), False),
        ("open", ("{state}/../elsewhere", None, os.O_RDWR), True),
        ("open", ("{state}/journal/g/1", None, os.O_WRONLY | os.O_CREAT), False),
        ("os.remove", ("/srv/elsewhere", -1), True),
        ("sqlite3.connect", ("file:{state}/ledger.db?mode=ro",), False),
        ("sqlite3.connect", ("/srv/other.db",), True),
        ("socket.connect", (None, ("127.0.0.1", 9)), False),
        ("socket.connect", (None, ("127.0.0.1", 10)), True),
        ("socket.connect", (None, ("169.254.169.254", 80)), True),
        ("socket.connect", (None, "{state}/run/feed.sock"), False),
        ("socket.connect", (None, "/run/docker.sock"), True),
        ("gc.get_objects", (), False),
    ],
)
def test_the_wire_trips_where_it_should(
    tmp_path: Path, event: str, args: tuple[Any, ...], objects: bool
) -> None:
    record = os.open(tmp_path / "tripped", os.O_WRONLY | os.O_CREAT)
    wire = Tripwire(tmp_path / "state", ["127.0.0.1:9"], record)
    here = str(tmp_path / "state")
    filled = tuple(a.replace("{state}", here) if isinstance(a, str) else a for a in args)
    wire(event, filled)  # not armed yet
    wire.arm()
    wire(event, filled)
    os.close(record)
    lines = (tmp_path / "tripped").read_text().splitlines()
    assert lines[0] == "armed"
    assert len(lines) == (2 if objects else 1)
