"""A client's connection: order, persistence, framing, leave to go on, bounds."""

import asyncio
import contextlib

import pytest
from tests.gateway.http.rig import (
    CONTINUE,
    GET,
    HELD,
    Caller,
    Gate,
    House,
    calling,
    echo,
    later,
    run,
    until,
)

from tidegate.gateway.http import server
from tidegate.gateway.http.reader import MAX_QUEUED_REQUESTS, Incoming
from tidegate.gateway.http.server import Connection


def test_requests_sent_at_once_are_answered_in_order_one_at_a_time() -> None:
    at_work = most = 0

    async def slow(incoming: Incoming, connection: Connection) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        await echo(incoming, connection)

    async def test(house: House, caller: Caller) -> None:
        paths = [b"/%d" % i for i in range(MAX_QUEUED_REQUESTS)]
        await caller.send(b"".join(GET.replace(b"/a", path) for path in paths))
        for path in paths:
            assert (await caller.answer())[2] == path + b" "
        assert most == 1

    run(test, slow)


def test_requests_sent_at_once_are_bounded() -> None:
    """Those within the bound are answered, the connection is closed, no more are taken."""

    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET * (MAX_QUEUED_REQUESTS + 1))
        said = await caller.rest()
        assert said.count(b"HTTP/1.1 200") == len(house.requests) == MAX_QUEUED_REQUESTS

    run(test)


def test_what_comes_early_is_kept_up_to_a_bound() -> None:
    gate = Gate()

    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET)
        await until(lambda: house.requests)
        connection = house.only()
        size = 2 * server.MAX_EARLY_BYTES
        await caller.send(
            b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"b" * size
        )
        await until(lambda: len(connection._early) > server.MAX_EARLY_BYTES)
        assert not connection.transport.is_reading()
        gate.open.set()
        assert (await caller.answer())[2] == b"/a "
        assert (await caller.answer())[2] == b"/b " + b"b" * size

    run(test, gate, max_body_bytes=1 << 20)


def test_leave_to_go_on_is_given_and_the_body_is_waited_for() -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(HELD)
        assert await caller.until(b"\r\n\r\n") == CONTINUE
        await caller.send(b"abc")
        assert (await caller.answer())[2] == b"/a abc"

    run(test)


def test_leave_that_is_never_used_times_out() -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(HELD)
        assert await caller.until(b"\r\n\r\n") == CONTINUE
        house.listener.sweep(later(61.0))
        assert (await caller.answer())[0] == 408
        assert house.requests == []

    run(test)


def test_leave_is_given_in_turn() -> None:
    """Not before the answer to the request before it: it would read as that answer's."""
    gate = Gate()

    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET + HELD)
        await until(lambda: house.requests)
        gate.open.set()
        assert (await caller.answer())[0] == 200
        assert await caller.until(b"\r\n\r\n") == CONTINUE
        await caller.send(b"abc")
        assert (await caller.answer())[2] == b"/a abc"

    run(test, gate)


def test_what_is_refused_in_turn_gets_no_leave_beside() -> None:
    """Nothing may follow the refusal: the connection's sending side is shut by then."""
    gate = Gate()
    bad = HELD.replace(b"Content-Length: 3", b"Transfer-Encoding: chunked") + b"no size\r\n"

    async def test(house: House, caller: Caller) -> None:
        await caller.send(GET)
        await until(lambda: house.requests)
        connection = house.only()
        await caller.send(bad)
        await until(lambda: connection._early)
        gate.open.set()
        assert (await caller.answer())[0] == 200
        assert (await caller.answer())[0] == 400
        assert await caller.rest() == b""
        task = connection._task
        assert task is not None
        await until(task.done)
        assert task.exception() is None

    run(test, gate)


def test_a_body_too_large_is_refused_before_it_has_come() -> None:
    async def test(house: House, caller: Caller) -> None:
        await caller.send(HELD.replace(b": 3", b": 1001"))
        assert (await caller.answer())[0] == 413  # instead of leave to send it

    run(test)


@pytest.mark.parametrize("framing", [b"Content-Length: 9000000", b"Transfer-Encoding: chunked"])
def test_a_client_that_is_still_sending_sees_that_its_body_is_too_large(framing: bytes) -> None:
    async def test(house: House, caller: Caller) -> None:
        chunk = b"1000\r\n" + b"a" * 4096 + b"\r\n"
        await caller.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
        for _ in range(200):  # far more than is taken, and none of it is kept
            await caller.send(chunk)
        status, headers, body = await caller.answer()
        assert (status, headers[b"connection"]) == (413, b"close")
        assert b"body_too_large" in body
        assert house.only()._reader.body_bytes <= 1000 + 2048
        assert house.requests == []

    run(test)


def test_a_defect_of_ours_drops_the_connection_and_is_told() -> None:
    async def broken(incoming: Incoming, connection: Connection) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: faults.append(told))
        async with House(broken) as house:
            async with calling(house.address) as caller:
                with contextlib.suppress(ConnectionError):
                    await caller.send(GET)
                assert await caller.rest() == b""
            await until(lambda: not house.listener.connections)

    asyncio.run(main())
