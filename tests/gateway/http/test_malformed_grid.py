"""What could be read in two ways is read in none: by itself, byte by byte, and behind HAProxy."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.http.grid import MALFORMED, ODD, post
from tests.gateway.http.rig import Caller, House, calling, parse_head, told

from tidegate.core.outcome import Refusal
from tidegate.gateway.http.reader import Incoming, RequestReader

MAX_BODY_BYTES = 1 << 20
# One more request on the same connection: it must never be taken after a malformed one.
_NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def seen(parts: Iterator[bytes] | list[bytes]) -> list[tuple[object, ...]] | str:
    """What the reader makes of these reads: the requests, or `refused` with none handed on."""
    reader = RequestReader(MAX_BODY_BYTES)
    try:
        for part in parts:
            reader.feed(part, 0.0)
    except Refusal as refusal:
        assert refusal.code.fault == "caller"
        assert not reader.whole
        return "refused"
    assert reader.phase == "idle"
    return [facts(incoming) for incoming in reader.whole]


def facts(incoming: Incoming) -> tuple[object, ...]:
    head = incoming.head
    asked = (head.method, head.path, head.query, head.http_minor, head.keep_alive)
    return (*asked, tuple(head.headers.items()), incoming.body)


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Every cut in two of a short request; of a long one every 97th, and those at its ends."""
    step = 1 if len(data) < 1000 else 97
    for at in sorted({*range(0, len(data), step), *range(len(data) - 40, len(data))}):
        if at > 0:
            yield [data[:at], data[at:]]


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def test_the_grid_is_large_enough_to_mean_something() -> None:
    assert len(MALFORMED) >= 40
    assert len(ODD) >= 20


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_wherever_it_is_cut(name: str) -> None:
    data = MALFORMED[name]
    assert seen([data]) == "refused"
    assert seen(single_bytes(data)) == "refused"
    for parts in cuts(data):
        assert seen(parts) == "refused", parts


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_the_same_wherever_it_is_cut(name: str) -> None:
    data, body = ODD[name]
    [request] = whole = seen([data])
    assert body in request
    assert seen(single_bytes(data)) == whole
    for parts in cuts(data):
        assert seen(parts) == whole, parts


_KNOWN = post(b"Content-Length: 2", b"X-A: 1", body=b"{}")


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_after_good_ones(name: str) -> None:
    """A connection's reader knows the head that it has seen: that must open no door."""
    reader = RequestReader(MAX_BODY_BYTES)
    for _ in range(3):
        reader.feed(_KNOWN, 0.0)
        assert reader.whole.popleft().body == b"{}"
    with pytest.raises(Refusal):
        reader.feed(MALFORMED[name], 0.0)
    assert not reader.whole


@given(st.data())
def test_a_known_head_is_read_as_an_unknown_one(data: st.DataObject) -> None:
    """Whatever is done to a request that comes again: as a reader would take it afresh."""
    request = bytearray(_KNOWN)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(request) - 1))
        change = data.draw(st.binary(max_size=4) | st.sampled_from([b"\r\n", b"0", b"12", b" "]))
        request[at : at + data.draw(st.integers(0, 3))] = change
    knowing = RequestReader(MAX_BODY_BYTES)
    for _ in range(2):
        knowing.feed(_KNOWN, 0.0)
        knowing.whole.clear()
    assert outcome(knowing, bytes(request)) == outcome(
        RequestReader(MAX_BODY_BYTES), bytes(request)
    )


def outcome(reader: RequestReader, request: bytes) -> object:
    try:
        reader.feed(request, 0.0)
    except Refusal as refusal:
        return refusal.code.name
    return [facts(incoming) for incoming in reader.whole], reader.phase


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_gets_no_more_than_a_refusal(name: str) -> None:
    async def run() -> None:
        async with House() as house:
            data = MALFORMED[name]
            sends = [[data, _NEXT]]
            if len(data) < 1000:
                sends.append([*single_bytes(data), _NEXT])
            for parts in sends:
                answer = await told(house.address, parts)
                head, _, body = answer.partition(b"\r\n\r\n")
                status, headers = parse_head(head)
                assert 400 <= status < 500
                assert headers[b"connection"] == b"close"
                assert headers[b"content-type"] == b"application/json"
                assert len(body) == int(headers[b"content-length"])
            assert house.requests == []

    asyncio.run(run())


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_answered(name: str) -> None:
    async def run() -> None:
        data, body = ODD[name]
        async with House() as house:
            for parts in ([data], single_bytes(data)) if len(data) < 1000 else ([data],):
                async with calling(house.address) as caller:
                    for part in parts:
                        await caller.send(part)
                    if b"Expect" in data:
                        # Cut into reads, its body may come before we know of its question.
                        head = await caller.until(b"\r\n\r\n")
                        if b"100 Continue" in head:
                            head = await caller.until(b"\r\n\r\n")
                    else:
                        head = await caller.until(b"\r\n\r\n")
                    assert parse_head(head)[0] == 200
            assert {request.body for request in house.requests} == {body}

    asyncio.run(run())


def test_what_follows_a_good_request_cannot_be_a_bad_one() -> None:
    """The good one is answered in full; the bad one and all after it are not."""

    async def run() -> None:
        async with House() as house:
            for bad in ("length and chunked", "no Host", "an upgrade to h2c", "garbage"):
                good = b"GET /good HTTP/1.1\r\nHost: x\r\n\r\n"
                answer = await told(house.address, [good + MALFORMED[bad] + _NEXT])
                assert answer.startswith(b"HTTP/1.1 200")
                assert answer.endswith(b"/good ")
            assert {request.head.path for request in house.requests} == {b"/good"}

    asyncio.run(run())


_HAPROXY = """\
global
    maxconn 64
defaults
    mode http
    timeout client 5s
    timeout connect 5s
    timeout server 5s
    option http-buffer-request
    http-reuse always
    unique-id-format %rt-%ci-%cp
    unique-id-header x-forwarded-as
frontend front
    bind fd@{fd}
    http-request set-header x-body-bytes %[req.body_len]
    default_backend ours
backend ours
    server ours {host}:{port}
"""


class Proxied:
    """HAProxy in front of an address, on a free port."""

    def __init__(self, address: tuple[str, int], folder: Path) -> None:
        program = shutil.which("haproxy")
        assert program, "haproxy is not installed; `apt-get install haproxy` brings it"
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.address = self._sock.getsockname()
        plan = folder / "haproxy.cfg"
        fd = self._sock.fileno()
        plan.write_text(_HAPROXY.format(fd=fd, host=address[0], port=address[1]))
        self._process = subprocess.Popen(
            [program, "-db", "-q", "-f", str(plan)], pass_fds=[fd], stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> "Proxied":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._sock.close()


async def _exchange(caller: Caller, data: bytes) -> bytes:
    """Sends a request and one more, and shuts nothing: a proxy tells when it is done."""
    await caller.send(data + _NEXT)
    return await caller.rest()


@pytest.mark.haproxy
def test_behind_haproxy_nothing_is_framed_differently(tmp_path: Path) -> None:
    """Each request that arrives is one that HAProxy sent, with the body that HAProxy saw."""

    async def run() -> None:
        async with House() as house:
            with Proxied(house.address, tmp_path) as proxy:
                async with calling(proxy.address) as caller:
                    assert b"/next" in await _exchange(caller, b"")
                for name, data in MALFORMED.items():
                    house.requests.clear()
                    async with calling(proxy.address) as caller:
                        await _exchange(caller, data)
                    agreed(name, house.requests)

    asyncio.run(run())


def agreed(name: str, requests: list[Incoming]) -> None:
    marks = [request.head.headers.get(b"x-forwarded-as") for request in requests]
    assert None not in marks, f"{name}: a request that the proxy did not send"
    assert len(set(marks)) == len(marks), f"{name}: one request became two"
    for request in requests:
        told_bytes = int(request.head.headers[b"x-body-bytes"])
        assert len(request.body) == told_bytes, f"{name}: a body of another length"


@pytest.mark.haproxy
def test_behind_haproxy_an_odd_request_arrives_as_sent(tmp_path: Path) -> None:
    async def run() -> None:
        async with House() as house:
            with Proxied(house.address, tmp_path) as proxy:
                for name, (data, body) in ODD.items():
                    house.requests.clear()
                    async with calling(proxy.address) as caller:
                        await _exchange(caller, data)
                    agreed(name, house.requests)
                    if house.requests:
                        assert house.requests[0].body == body, name
                assert len(house.requests) > 0

    asyncio.run(run())
