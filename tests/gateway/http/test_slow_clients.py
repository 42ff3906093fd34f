"""Clients that dribble, stall, do not read, or leave. Time is given; what is held is bounded."""

import asyncio

import pytest
from tests.gateway.http.rig import (
    GET,
    Caller,
    FakeTransport,
    Gate,
    House,
    echo,
    later,
    run,
    until,
)

from tidegate.gateway.http import answers, server
from tidegate.gateway.http.reader import Incoming
from tidegate.gateway.http.server import Connection


@pytest.mark.parametrize(
    ("begun", "timeout_s"),
    [
        (b"GET /a HTT", 10.0),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nX-A", 10.0),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab", 60.0),
        (b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na", 60.0),
    ],
)
def test_a_request_that_takes_too_long_is_refused(begun: bytes, timeout_s: float) -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(begun)
        connection = house.only()
        await until(lambda: connection._reader.phase != "idle")
        house.listener.sweep(later(timeout_s - 1))
        assert connection.state == "open"
        house.listener.sweep(later(timeout_s + 1))
        status, headers, _ = await caller.answer()
        assert (status, headers[b"connection"]) == (408, b"close")
        assert await caller.rest() == b""
        assert house.requests == []
        assert house.listener.refusals == {"request_timeout": 1}

    run(test)


def test_a_body_that_keeps_its_pace_may_take_longer() -> None:
    async def test(house: House, caller: Caller) -> None:
        size = 30 * server.MIN_BODY_BYTES_PER_S
        await caller.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (size + 1))
        await caller.send(b"a" * size)
        connection = house.only()
        await until(lambda: connection._reader.body_bytes == size)
        house.listener.sweep(later(85.0))
        assert connection.state == "open"
        house.listener.sweep(later(95.0))
        assert (await caller.answer())[0] == 408

    run(test, max_body_bytes=1 << 20)


def test_a_connection_that_idles_too_long_is_closed() -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET)
        await caller.answer()
        house.listener.sweep(later(74.0))
        assert house.only().state == "open"
        house.listener.sweep(later(76.0))
        assert await caller.rest() == b""

    run(test)


def test_a_refused_client_that_stays_is_cut_off() -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(b"garbage\r\n\r\n")
        assert (await caller.answer())[0] == 400
        connection = house.only()
        await caller.send(GET)  # whatever it goes on to say
        house.listener.sweep(later(server.LINGER_S + 1))
        await until(lambda: connection.lost)
        assert house.requests == []

    run(test)


def test_a_reader_that_does_not_read_is_cut_off_and_its_source_waits() -> None:
    """What the kernel and we hold for it is bounded; its provider is not read meanwhile."""
    waits: list[str] = []

    class Source:
        def pause(self) -> None:
            waits.append("pause")

        def resume(self) -> None:
            waits.append("resume")

    async def pour(incoming: Incoming, connection: Connection) -> None:
        connection.source = Source()
        connection.start(answers.STREAM_HEAD, b"data: x\n\n")
        while connection.paused_s is None and not connection.lost:
            connection.write(b"x" * 4096)
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    async def test(house: House, caller: Caller) -> None:
        caller.writer.transport.pause_reading()
        await caller.send(GET)
        await until(lambda: house.listener.connections and house.only().paused_s is not None)
        connection = house.only()
        assert waits == ["pause"]
        assert connection.transport.get_write_buffer_size() <= 2 * server.WRITE_BUFFER_BYTES
        house.listener.sweep(later(29.0))
        assert not connection.lost
        house.listener.sweep(later(31.0))
        await until(lambda: house.cancelled == 1)

    run(test, pour)


def test_a_reader_that_reads_again_is_served_on() -> None:
    async def test() -> None:
        async with House() as house:
            connection = Connection(house.listener, echo)
            transport = FakeTransport(connection)
            connection.pause_writing()
            connection.resume_writing()
            connection.sweep(later(1000.0) - 1000.0)
            assert connection.paused_s is None
            assert not transport.closing
            transport.end()

    asyncio.run(test())


def test_a_client_that_leaves_is_noticed_at_work() -> None:
    """With a close of its sending side, as with a reset."""

    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET)
        await until(lambda: house.requests)
        caller.writer.write_eof()
        await until(lambda: house.cancelled == 1)
        assert await caller.rest() == b""

    run(test, Gate())
