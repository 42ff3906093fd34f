"""A tap passes everything on as it came, and notes how it ended."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest
from tests.gateway.rig import HELLO, run, until
from tests.gateway.spawned import Reply, ask, post
from tests.gateway.upstream import (
    OK,
    STREAM_HEAD,
    Exchange,
    Script,
    Upstream,
    answer_bytes,
    chunk,
    completion,
    content,
    cutting,
    stalling,
    streaming,
    whole,
)

from tidegate.core.audit import Observed
from tidegate.core.plan import Replica
from tidegate.gateway import tap_reading
from tidegate.gateway.http.pool import Way
from tidegate.gateway.tap import Tap
from tidegate.providers._openai_stream import OpenAIStreamReader

STREAMED = {**HELLO, "stream": True}
KEY = "sk-of-somebody-else"


class Tapped:
    def __init__(self, port: int) -> None:
        self.address = ("127.0.0.1", port)
        self.seen: list[Observed] = []

    async def ask(self, body: object, path: str = "/v1/chat/completions") -> Reply:
        return await ask(self.address, post(KEY, body, path))


@contextlib.asynccontextmanager
async def tapped(to_port: int | None, side: str = "front") -> AsyncIterator[Tapped]:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    it = Tapped(sock.getsockname()[1])
    way = None
    if to_port is not None:
        way = Way(Replica("old", "http", "127.0.0.1", to_port, ""), None, "127.0.0.1", None)
    ready = asyncio.Event()
    tap = Tap(way, side, it.seen.append)  # type: ignore[arg-type]
    task = asyncio.create_task(tap.run(sock, ready.set))
    await ready.wait()
    try:
        yield it
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("body", "script", "answered"),
    [
        (HELLO, whole(), msgspec.json.encode(completion())),
        (STREAMED, streaming(2), b"data: [DONE]\n\n"),
        (HELLO, whole(b'{"error": 1}', 429), b'{"error": 1}'),
    ],
    ids=["whole", "streamed", "refused"],
)
def test_bytes_pass_as_they_came_both_ways(body: object, script: Script, answered: bytes) -> None:
    async def main() -> None:
        async with Upstream(script) as up, tapped(up.port) as tap:
            reply = await tap.ask(body)
            assert reply.body.endswith(answered)
            [exchange] = up.exchanges
            assert exchange.json == body
            assert exchange.header(b"authorization") == b"Bearer " + KEY.encode()
            assert exchange.header(b"host") == b"127.0.0.1:%d" % up.port

    run(main())


def test_a_whole_answer_and_a_stream_tell_what_they_used() -> None:
    async def main() -> None:
        async with Upstream() as up, tapped(up.port) as tap:
            up.script = whole(completion(), headers=[("x-litellm-call-id", "call-1")])
            await tap.ask(HELLO)
            up.script = streaming(5)
            await tap.ask(STREAMED)
            one, other = tap.seen
            assert (one.answer_id, one.call_id, one.end, one.status) == (
                *("up-1", "call-1", "whole", 200),
            )
            assert (one.input_tokens, one.output_tokens, one.stream) == (11, 5, False)
            assert (other.answer_id, other.end, other.stream) == ("up-1", "whole", True)
            assert (other.input_tokens, other.output_tokens) == (11, 5)
            assert one.model == HELLO["model"] and one.key != KEY and len(one.key or "") == 64

    run(main())


@pytest.mark.parametrize(
    ("script", "end"),
    [
        (cutting(STREAM_HEAD + chunk(b"data: " + content("a") + b"\n\n")), "cut"),
        (cutting(STREAM_HEAD + chunk(b"data: " + content("a") + b"\n\n") + b"0\r\n\r\n"), "cut"),
        (cutting(OK + b"content-length: 50\r\n\r\nhalf"), "cut"),
        (cutting(b""), "cut"),
        (whole(b'{"error": "no"}', 500), "refused"),
        (whole(b"<html>what?</html>"), "whole"),
    ],
    ids=["reset", "no-finish", "half", "nothing", "refused", "unread"],
)
def test_how_an_answer_ended_is_noted_and_its_client_sees_the_same(
    script: Script, end: str
) -> None:
    async def main() -> None:
        async with Upstream(script) as up, tapped(up.port) as tap:
            reply = await tap.ask(STREAMED)
            assert [it.end for it in tap.seen] == [end]
            assert tap.seen[0].input_tokens is None
            if b"half" in reply.raw or not reply.raw:
                raise AssertionError(reply.raw)

    run(main())


def test_a_client_that_leaves_ends_the_call_and_is_noted() -> None:
    async def main() -> None:
        async with Upstream(stalling(2)) as up, tapped(up.port) as tap:
            reader, writer = await asyncio.open_connection(*tap.address)
            writer.write(post(KEY, STREAMED))
            await reader.readuntil(b"t1")
            writer.transport.abort()
            await asyncio.wait_for(up.exchanges[0].closed.wait(), 5)
            await until(lambda: tap.seen)
            assert tap.seen[0].end == "left"

    run(main())


@pytest.mark.parametrize("streamed", [False, True])
def test_what_comes_twice_in_a_head_passes_twice_and_in_its_order(streamed: bool) -> None:
    cookies = [b"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", b"b=2", b"c=3"]

    async def script(exchange: Exchange) -> None:
        lines = b"".join(b"Set-Cookie: %b\r\n" % one for one in cookies)
        hint = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
        if streamed:
            begun = STREAM_HEAD.removesuffix(b"\r\n") + lines + b"\r\n"
            exchange.send(hint + begun + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        else:
            chunked = (
                b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nSet-Cookie: late=1\r\n\r\n"
            )
            exchange.send(hint + OK + lines + chunked)

    async def main() -> None:
        async with Upstream(script) as up, tapped(up.port) as tap:
            request = post(KEY, HELLO)
            asked = b"X-Tag: one\r\nCookie: p=1\r\nx-tag: two, 2\r\nX-TAG: three\r\n\r\n"
            reply = await ask(tap.address, request.replace(b"\r\n\r\n", b"\r\n" + asked, 1))
            head = reply.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
            assert [it[12:] for it in head if it.startswith(b"Set-Cookie: ")] == cookies
            assert not [it for it in head if it.startswith(b"link")]
            sent = up.exchanges[0].head.lower().split(b"\r\n")
            tags = [it[7:] for it in sent if it.startswith(b"x-tag: ")]
            assert tags == [b"one", b"two, 2", b"three"]
            assert sent.count(b"cookie: p=1") == 1

    run(main())


def test_a_fault_of_ours_in_reading_ends_nothing_that_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        async with Upstream() as up, tapped(up.port) as tap:
            monkeypatch.setattr(OpenAIStreamReader, "feed", fails)
            up.script = streaming(2)
            assert (await tap.ask(STREAMED)).body.endswith(b"data: [DONE]\n\n")
            assert [(it.end, it.input_tokens) for it in tap.seen] == [("whole", None)]
            monkeypatch.setattr(tap_reading, "accept", fails)
            assert (await tap.ask(STREAMED)).body.endswith(b"data: [DONE]\n\n")
            assert len(tap.seen) == 1

    run(main())


def test_what_is_no_request_to_a_model_passes_unnoted() -> None:
    async def main() -> None:
        async with Upstream(whole(b'{"data": []}')) as up, tapped(up.port) as tap:
            request = b"GET /v1/models?x=1 HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n"
            reply = await ask(tap.address, request)
            assert (reply.status, reply.body) == (200, b'{"data": []}')
            assert up.exchanges[0].path == b"/v1/models?x=1" and tap.seen == []
            assert (await tap.ask(b"not json")).status == 200 and tap.seen == []

    run(main())


def test_a_request_for_a_head_alone_is_answered_at_once() -> None:
    async def main() -> None:
        async with Upstream(whole(b'{"data": []}')) as up, tapped(up.port) as tap:
            request = b"HEAD /health HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n"
            reply = await asyncio.wait_for(ask(tap.address, request), 5)
            assert (reply.status, reply.body) == (200, b"")
            assert b"content-length: 12" in reply.raw.lower()
            assert up.exchanges[0].head.startswith(b"GET /health ")

    run(main())


def test_a_mirror_answers_at_once_and_sends_nothing() -> None:
    async def main() -> None:
        async with tapped(None) as tap:
            reply = await tap.ask(STREAMED)
            assert (reply.status, reply.body) == (204, b"")
            assert [(it.end, it.status, it.stream) for it in tap.seen] == [("unseen", None, True)]

    run(main())


def test_nobody_there_is_a_502_and_noted() -> None:
    async def main() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with tapped(port) as tap:
            reply = await tap.ask(HELLO)
            assert reply.status == 502 and b"tap" in reply.body
            assert [it.end for it in tap.seen] == ["cut"]

    run(main())


def test_connections_are_kept_and_a_stale_one_is_replaced() -> None:
    async def main() -> None:
        async with Upstream() as up, tapped(up.port) as tap:
            for _ in range(3):
                assert (await tap.ask(HELLO)).status == 200
            assert up.connected == 1
            for transport in list(up.connections):
                transport.abort()
            assert (await tap.ask(HELLO)).status == 200
            body = msgspec.json.encode(completion())
            assert answer_bytes(200, body).endswith(body)
            assert [it.end for it in tap.seen] == ["whole"] * 4

    run(main())
