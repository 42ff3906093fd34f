"""Bytes to answers: in any cut, past what is no answer yet, and nothing wrong or endless."""

import asyncio

import pytest
from tests.gateway.http.line import CHUNKED_HEAD, WHOLE, Line, Taker, cut, in_loop

from tidegate.gateway.http.answer_reader import MOST_CRUMBS, UpstreamError

FAULTS = {
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n", "malformed"),
    "HTML without a head": (b"<html></html>\r\n\r\n", "malformed"),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "malformed",
    ),
    "length and chunked": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        "malformed",
    ),
    "a bad chunk size": (CHUNKED_HEAD + b"zz\r\nabc\r\n", "malformed"),
    "a chunk longer than it says": (CHUNKED_HEAD + b"1\r\nabc\r\n", "malformed"),
    "a switch of protocols": (
        b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        "malformed",
    ),
    "a folded header": (b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n\r\n", "malformed"),
    "a second answer in the same read": (WHOLE + WHOLE, "malformed"),
    "too large by its length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"a" * 2000,
        "too_large",
    ),
    "too large in chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"a\r\n0123456789\r\n" * 200,
        "too_large",
    ),
    "201 headers": (
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: 1\r\n" % i for i in range(201)) + b"\r\n",
        "too_large",
    ),
    "headers of 65 KiB": (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 65 * 1024 + b"\r\n\r\n", "too_large"),
    "a header without an end": (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000, "too_large"),
    "a reason without an end": (b"HTTP/1.1 200 " + b"a" * 200_000, "too_large"),
    "interim answers without an end": (b"HTTP/1.1 100 Continue\r\n\r\n" * 8000, "too_large"),
    "a chunk extension without an end": (CHUNKED_HEAD + b"1;" + b"a" * 200_000, "too_large"),
    "a trailer without an end": (CHUNKED_HEAD + b"0\r\nx: " + b"a" * 200_000, "too_large"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_answer_fails_its_exchange_and_ends_the_connection(name: str) -> None:
    data, kind = FAULTS[name]

    async def run(line: Line) -> None:
        reads = [data[at : at + 1000] for at in range(0, len(data), 1000)]
        taker = Taker()
        try:
            await line.answered(*reads)
            line.upstream.relay(taker)
        except UpstreamError as error:
            taker.ends.append(error.kind)
            assert not error.clean
        assert taker.ends == [kind]
        assert line.transport.closing
        await asyncio.sleep(0)
        assert (line.home.back, line.home.ended) == (0, 1)

    in_loop(run)


@pytest.mark.parametrize("parts", cut(WHOLE))
def test_an_answer_is_gathered_whole_in_any_cut(parts: list[bytes]) -> None:
    async def run(line: Line) -> None:
        await line.answered(*parts)
        assert (line.upstream.status, line.upstream.body()) == (200, b"hello")
        assert not line.upstream.streaming
        line.upstream.release()
        assert (line.home.back, line.transport.closing) == (1, False)

    in_loop(run)


def test_a_body_in_crumbs_is_held_in_few_pieces() -> None:
    """A crumb takes some 40 bytes to hold, however short it is."""
    crumbs = 10 * MOST_CRUMBS

    async def run(line: Line) -> None:
        line.upstream.send(b"request", crumbs * 2)
        waiter = line.upstream.answered()
        line.upstream.data_received(CHUNKED_HEAD.replace(b"event-stream", b"plain"))
        for _ in range(crumbs // 64):
            line.upstream.data_received(b"2\r\nab\r\n" * 64)
        assert len(line.upstream._parts) < 2 * MOST_CRUMBS
        line.upstream.data_received(b"0\r\n\r\n")
        await waiter
        assert line.upstream.body() == b"ab" * crumbs

    in_loop(run)


def test_interim_answers_are_passed_over() -> None:
    async def run(line: Line) -> None:
        interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        await line.answered(interim + WHOLE)
        assert line.upstream.headers == {b"content-length": b"5"}
        assert line.upstream.body() == b"hello"

    in_loop(run)
