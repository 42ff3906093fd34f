"""One exchange on one connection: what may come back, in any cut, and what is done with it."""

import asyncio
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.gateway.http.line import CHUNKED_HEAD, STREAM, WHOLE, Line, Taker, cut, in_loop

from tidegate.gateway.http import client
from tidegate.gateway.http.answer_reader import ANY_KIND, UpstreamError


@pytest.mark.parametrize("parts", cut(STREAM))
def test_a_stream_is_handed_on_in_any_cut(parts: list[bytes]) -> None:
    async def run(line: Line) -> None:
        taker = Taker()
        waiting = asyncio.ensure_future(line.upstream.answered())
        await asyncio.sleep(0)
        for part in parts:
            line.come(part)
            await asyncio.sleep(0)
            if waiting.done() and line.upstream._sink is None and not taker.ends:
                line.upstream.relay(taker)
        await waiting
        assert line.upstream.streaming
        assert (taker.data, taker.ends) == (b"abcdefg", ["end"])
        line.upstream.release()
        assert (line.home.back, line.home.ended) == (1, 0)

    in_loop(run)


# A chunk of 19 bytes whose size line, less its first digit, begins a chunk of 3 bytes.
_ALIKE = b"13\r\nabc\r\n5\r\nhello\r\n1\r\nx\r\n"


@given(cuts=st.lists(st.integers(0, 200), max_size=6).map(sorted))
@example(cuts=[len(CHUNKED_HEAD) + 1, len(CHUNKED_HEAD) + 9])
def test_chunks_are_told_from_bytes_that_look_like_chunks(cuts: list[int]) -> None:
    async def run(line: Line) -> None:
        body = _ALIKE[4:23]
        whole = CHUNKED_HEAD + b"13\r\n" + body + b"\r\n" + b"2\r\n1\n\r\n" + _ALIKE[:4] + body
        whole += b"\r\n0\r\n\r\n"
        edges = [0, *(at for at in cuts if at < len(whole)), len(whole)]
        taker = Taker()
        waiting = line.upstream.answered()
        for start, end in itertools.pairwise(edges):
            if start < end:
                line.come(whole[start:end])
            if waiting.done() and line.upstream._sink is None and not taker.ends:
                line.upstream.relay(taker)
        await waiting
        assert (taker.data, taker.ends) == (body + b"1\n" + body, ["end"])

    in_loop(run)


@pytest.mark.parametrize(
    "form", [b"%x\r\n%b\r\n", b"%X\r\n%b\r\n", b"0%x\r\n%b\r\n", b"%x;a=b\r\n%b\r\n"]
)
def test_a_chunk_of_any_length_is_handed_on(form: bytes) -> None:
    async def run(line: Line) -> None:
        taker = Taker()
        waiting = line.upstream.answered()
        line.come(CHUNKED_HEAD)
        await waiting
        line.upstream.relay(taker)
        sizes = [*range(1, 1100), 4095, 4096, 70_000]
        for size in sizes:
            before = len(taker.data)
            line.come(form % (size, b"x" * size))
            assert len(taker.data) - before == size
        line.come(b"0\r\n\r\n")
        assert (taker.data, taker.ends) == (b"x" * sum(sizes), ["end"])

    in_loop(run)


def test_what_no_chunk_is_as_long_as_is_left_to_the_parser() -> None:
    """A chunk of 15 bytes is 20 long with its framing, one of 16 is 22."""

    async def run(line: Line) -> None:
        taker = Taker()
        waiting = line.upstream.answered()
        line.come(CHUNKED_HEAD)
        await waiting
        line.upstream.relay(taker)
        line.come(b"\0" + b"x" * 18 + b"\r\n")
        assert (taker.data, taker.ends) == (b"", ["malformed"])

    in_loop(run)


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    async def run(line: Line) -> None:
        waiting = asyncio.ensure_future(line.upstream.answered())
        await asyncio.sleep(0)
        line.come(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo")
        line.transport.end()
        await waiting
        assert line.upstream.body() == b"hello"
        line.upstream.release()
        assert (line.home.back, line.home.ended) == (0, 1)

    in_loop(run)


def test_a_reset_does_not_end_an_answer_without_a_length() -> None:
    async def run(line: Line) -> None:
        waiting = asyncio.ensure_future(line.upstream.answered())
        await asyncio.sleep(0)
        line.come(b"HTTP/1.1 200 OK\r\n\r\nhel")
        line.transport.end(ConnectionResetError())
        with pytest.raises(UpstreamError) as lost:
            await waiting
        assert (lost.value.kind, lost.value.clean) == ("lost", False)

    in_loop(run)


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    async def run(line: Line) -> None:
        await line.answered(WHOLE)
        line.upstream.release()
        line.come(WHOLE)
        assert line.transport.closing
        assert not line.upstream.usable

    in_loop(run)


def test_an_answer_that_says_close_does_not_come_back() -> None:
    async def run(line: Line) -> None:
        await line.answered(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        line.upstream.release()
        assert (line.home.back, line.transport.closing) == (0, True)

    in_loop(run)


def test_a_stream_released_before_its_end_comes_back_after_it() -> None:
    async def run(line: Line) -> None:
        taker = Taker()
        at = STREAM.index(b"0\r\n\r\n")
        await line.answered(STREAM[:at])
        line.upstream.relay(taker)
        line.upstream.pause()
        line.upstream.release()
        assert (line.home.back, line.home.in_tail, line.transport.reading) == (0, 1, True)
        line.come(STREAM[at:])
        assert (line.home.back, taker.ends) == (1, [])

    in_loop(run)


def test_the_tail_of_a_released_stream_is_bounded() -> None:
    async def run(line: Line) -> None:
        await line.answered(CHUNKED_HEAD)
        line.upstream.relay(Taker())
        line.upstream.release()
        chunk = b"3e8\r\n" + b"a" * 1000 + b"\r\n"
        line.come(*([chunk] * (client.MAX_TAIL_BYTES // 1000 + 1)))
        assert line.transport.closing
        assert line.home.back == 0

    in_loop(run)


def test_a_connection_that_is_closed_when_it_is_taken_is_clean() -> None:
    async def run(line: Line) -> None:
        line.transport.end()
        with pytest.raises(UpstreamError) as lost:
            await line.upstream.answered()
        assert (lost.value.kind, lost.value.clean) == ("lost", True)

    in_loop(run)


def test_reading_pauses_and_goes_on() -> None:
    async def run(line: Line) -> None:
        line.upstream.pause()
        assert (line.upstream.paused, line.transport.reading) == (True, False)
        line.upstream.resume()
        assert (line.upstream.paused, line.transport.reading) == (False, True)
        line.upstream.close()
        line.upstream.pause()
        assert not line.upstream.paused

    in_loop(run)


def test_a_failure_reaches_whoever_waits() -> None:
    async def run(line: Line) -> None:
        waiting = asyncio.ensure_future(line.upstream.answered())
        await asyncio.sleep(0)
        line.upstream.fail(UpstreamError("deadline", "too slow"))
        with pytest.raises(UpstreamError, match="too slow"):
            await waiting

    in_loop(run)


@pytest.mark.parametrize("size", range(len(STREAM)))
def test_a_cut_stream_is_never_a_whole_one(size: int) -> None:
    async def run(line: Line) -> None:
        taker = Taker()
        waiting = asyncio.ensure_future(line.upstream.answered())
        await asyncio.sleep(0)
        if size:
            line.come(STREAM[:size])
        line.transport.end()  # before the waiter has had its turn
        try:
            await waiting
            line.upstream.relay(taker)
        except UpstreamError as error:
            taker.ends.append(error.kind)
            assert error.clean == (size < STREAM.index(b"\r\n\r\n") + 4)
        assert taker.ends == ["lost"]

    in_loop(run)


@pytest.mark.parametrize("size", [len(WHOLE) - 1, WHOLE.index(b"hello")])
def test_a_body_shorter_than_its_length_is_lost(size: int) -> None:
    async def run(line: Line) -> None:
        waiting = asyncio.ensure_future(line.upstream.answered())
        await asyncio.sleep(0)
        line.come(WHOLE[:size])
        line.transport.end()
        with pytest.raises(UpstreamError, match="closed the connection"):
            await waiting

    in_loop(run)


def test_a_good_answer_of_any_kind_flows_where_that_was_asked_for():
    head = b"HTTP/1.1 %b\r\nContent-Length: 12\r\n\r\n"
    for parts in cut(head % b"200 OK" + b"a longer file"[:12]):

        async def run(line: Line, parts: list[bytes] = parts) -> None:
            taker = Taker()
            line.upstream.send(b"GET", 3)  # beyond which nothing is gathered
            line.upstream.stream_kinds = ANY_KIND
            await line.answered(*parts)
            line.upstream.relay(taker)
            assert (taker.data, taker.ends) == (b"a longer fil", ["end"])
            line.upstream.release()
            assert line.home.back == 1

        in_loop(run)

    async def refused(line: Line) -> None:
        line.upstream.send(b"GET", 3)
        line.upstream.stream_kinds = ANY_KIND
        with pytest.raises(UpstreamError, match="exceeds 3 bytes"):
            await line.answered(head % b"404 No" + b"a longer fil")

    in_loop(refused)
