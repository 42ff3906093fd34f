"""How far a request is, and how much of one is ever held."""

import pytest
from tests.gateway.http.grid import chunked, get, post

from tidegate.core.outcome import Refusal
from tidegate.gateway.http import strict
from tidegate.gateway.http.reader import MAX_QUEUED_REQUESTS, RequestReader


def test_it_says_how_far_a_request_is() -> None:
    reader = RequestReader(1000)
    assert reader.phase == "idle"
    reader.feed(b"POST /a HTTP/1.1\r\n", 5.0)
    assert (reader.phase, reader.phase_s) == ("head", 5.0)
    reader.feed(b"Host: x\r\nContent-Length: 4\r\n\r\nab", 6.0)
    assert (reader.phase, reader.body_bytes) == ("body", 2)
    reader.feed(b"cd", 7.0)
    assert reader.phase == "idle"
    [incoming] = reader.whole
    assert (incoming.body, incoming.received_s) == (b"abcd", 5.0)


def test_requests_in_one_read_are_all_found() -> None:
    reader = RequestReader(1000)
    bodies = [b"x" * size for size in (0, 1, 700, 3, 999)]
    reader.feed(b"".join(post(b"Content-Length: %d" % len(b), body=b) for b in bodies), 0.0)
    assert [incoming.body for incoming in reader.whole] == bodies


def test_requests_in_one_read_are_bounded() -> None:
    reader = RequestReader(1000)
    with pytest.raises(Refusal, match="pipelined"):
        reader.feed(get() * (MAX_QUEUED_REQUESTS + 1), 0.0)
    assert len(reader.whole) == MAX_QUEUED_REQUESTS


@pytest.mark.parametrize("size", [1, 100, 5000, 1 << 20])
@pytest.mark.parametrize(
    "start", [b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"GET / HTTP/1.1\r\nHost: x\r\nX"]
)
def test_a_head_without_an_end_is_refused_in_time(start: bytes, size: int) -> None:
    reader = RequestReader(1000)
    reader.feed(start, 0.0)
    taken = 0
    with pytest.raises(Refusal) as refused:
        while taken < 4 * strict.MAX_HEAD_RAW_BYTES:
            reader.feed(b"a" * size, 0.0)
            taken += size
    assert refused.value.code.name in ("headers_too_large", "uri_too_long", "invalid_http")
    assert taken <= strict.MAX_HEAD_RAW_BYTES


def test_chunk_extensions_are_bounded_over_the_whole_body() -> None:
    piece = b"1;" + b"x" * 100 + b"\r\na\r\n"
    reader = RequestReader(1 << 20)
    with pytest.raises(Refusal, match="extensions"):
        for part in (chunked(b""), *[piece] * 100):
            reader.feed(part, 0.0)
    few = RequestReader(1 << 20)
    few.feed(chunked(piece * 10 + b"0\r\n\r\n"), 0.0)
    assert few.whole[0].body == b"a" * 10


@pytest.mark.parametrize("size", [999, 1000, 1001])
def test_a_body_may_be_as_large_as_said(size: int) -> None:
    body = b"x" * size
    for request in (
        post(b"Content-Length: %d" % size, body=body),
        chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)),
    ):
        reader = RequestReader(1000)
        if size <= 1000:
            reader.feed(request, 0.0)
            assert reader.whole[0].body == body
        else:
            with pytest.raises(Refusal) as refused:
                reader.feed(request, 0.0)
            assert refused.value.code.name == "body_too_large"


def test_a_head_that_comes_again_may_have_another_length() -> None:
    reader = RequestReader(1000)
    for body in (b"{}", b"{ }", b"", b"x" * 1000):
        reader.feed(post(b"Content-Length: %d" % len(body), body=body), 0.0)
        assert reader.whole.popleft().body == body
    with pytest.raises(Refusal):
        reader.feed(post(b"Content-Length: 1001", body=b"x" * 1001), 0.0)


@pytest.mark.parametrize("framing", [b"Content-Length: 10", b"Transfer-Encoding: chunked"])
def test_a_new_bound_holds_from_the_next_request_on(framing: bytes) -> None:
    chunked_body = b"a\r\n0123456789\r\n0\r\n\r\n"
    body = chunked_body if b"chunked" in framing else b"0123456789"
    request = post(framing, body=body)
    reader = RequestReader(10)
    reader.feed(request[:-9], 0.0)
    reader.max_body_bytes = 9
    reader.feed(request[-9:], 0.0)
    assert reader.whole.popleft().body == b"0123456789"
    with pytest.raises(Refusal, match="exceeds 9 bytes"):
        reader.feed(request, 0.0)


def test_a_new_bound_holds_for_a_head_that_is_known() -> None:
    request = post(b"Content-Length: 10", body=b"0123456789")
    reader = RequestReader(10)
    reader.feed(request, 0.0)
    reader.feed(request, 0.0)
    reader.max_body_bytes = 9
    with pytest.raises(Refusal, match="exceeds 9 bytes"):
        reader.feed(request, 0.0)
