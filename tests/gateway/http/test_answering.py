"""How answers go out: framed as their client can read them, and with a word on what comes next."""

import pytest
from tests.gateway.http.rig import GET, Caller, House, parse_head, run

from tidegate.gateway.http import answers
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection


@pytest.mark.parametrize(
    ("version", "asked", "kept"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: keep-alive\r\n", True),
    ],
)
def test_a_connection_stays_when_both_sides_want_it(
    version: bytes, asked: bytes, kept: bool
) -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(b"GET / HTTP/%b\r\nHost: x\r\n%b\r\n" % (version, asked))
        _, headers, _ = await caller.answer()
        said = headers.get(b"connection")
        assert said == (b"close" if not kept else b"keep-alive" if version == b"1.0" else None)
        if kept:
            await caller.send(GET)
            assert (await caller.answer())[0] == 200
        else:
            assert await caller.rest() == b""

    run(test)


def test_a_head_is_answered_without_its_body() -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET.replace(b"GET", b"HEAD") + GET)
        status, headers = parse_head(await caller.until(b"\r\n\r\n"))
        assert (status, headers[b"content-length"]) == (200, b"3")
        assert (await caller.answer())[2] == b"/a "

    run(test)


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
def test_a_stream_is_framed_as_the_client_can_read_it(version: bytes) -> None:
    async def stream(incoming: Incoming, connection: Connection) -> None:
        connection.start(answers.STREAM_HEAD, b"one")
        connection.write(b"two")
        connection.finish(b"three")

    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET.replace(b"1.1", version))
        _, headers = parse_head(await caller.until(b"\r\n\r\n"))
        if version == b"1.0":
            assert b"transfer-encoding" not in headers
            assert await caller.rest() == b"onetwothree"
        else:
            assert headers[b"transfer-encoding"] == b"chunked"
            framed = b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"
            assert await caller.exactly(len(framed)) == framed

    run(test, stream)


def test_a_stream_that_fails_is_cut_without_an_end() -> None:
    async def stream(incoming: Incoming, connection: Connection) -> None:
        connection.start(answers.STREAM_HEAD, b"")
        connection.cut(b"sorry")

    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET + GET)
        await caller.until(b"\r\n\r\n")
        assert await caller.rest() == b"5\r\nsorry\r\n"
        assert len(house.requests) == 1

    run(test, stream)
