"""The feed over its real socket: order, catching up, being cut."""

import asyncio
import stat
from collections.abc import Callable

import pytest
from tests.control.feed_ends import IN_FORCE, PLAN, Body, Gateway, Source, until

from tidegate.control.feed_server import FeedServer
from tidegate.core import feed
from tidegate.core.feed import Ack, Beat, Entry, Forget, Heartbeat, Recorded, Status
from tidegate.core.layout import Layout


def test_a_fresh_gateway_gets_the_plan_and_nothing_old(
    serve: Callable[[Body], None], layout: Layout
) -> None:
    async def body(server: FeedServer) -> None:
        assert stat.S_IMODE(layout.feed_socket.stat().st_mode) == 0o600
        gateway = await Gateway.connect(layout, 0)
        assert await gateway.entry() == Entry(4, IN_FORCE)
        assert await gateway.entry() == Entry(5, PLAN)
        assert await gateway.hear() == Heartbeat(5)
        gateway.close()

    serve(body)


def test_one_that_was_away_gets_what_it_missed_in_order(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        gateway = await Gateway.connect(layout, 2)
        assert [await gateway.entry() for _ in range(3)] == source.entries[2:]
        gateway.close()

    serve(body)


@pytest.mark.parametrize(("last_seq", "kept_from"), [(1, 4), (99, 1)])
def test_one_that_missed_too_much_forgets_and_gets_the_plan(
    serve: Callable[[Body], None], layout: Layout, source: Source, last_seq: int, kept_from: int
) -> None:
    source.kept_from = kept_from

    async def body(server: FeedServer) -> None:
        gateway = await Gateway.connect(layout, last_seq)
        assert await gateway.entry() == Entry(4, Forget())
        assert await gateway.entry() == Entry(4, IN_FORCE)
        assert await gateway.entry() == Entry(5, PLAN)
        gateway.close()

    serve(body)


def test_a_new_entry_reaches_every_gateway_once(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        gateways = [await Gateway.connect(layout, 5, f"gateway-{n}") for n in range(3)]
        await until(lambda: len(server.gateways()) == 3)
        for _ in range(20):
            source.add()
            server.wake()
        for gateway in gateways:
            assert [await gateway.entry() for _ in range(20)] == source.entries[5:]
        source.add()  # nobody wakes it: the poll finds it
        for gateway in gateways:
            assert await gateway.entry() == source.entries[-1]
            gateway.close()
        await until(lambda: server.gateways() == [])

    serve(body)


def test_an_entry_told_while_a_gateway_catches_up_is_not_missed(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        watcher = await Gateway.connect(layout, 5, "gateway-1")
        await until(lambda: len(server.gateways()) == 1)
        source.stall_at = 4
        joining = await Gateway.connect(layout, 4)
        await asyncio.to_thread(source.stalled.wait, 10)
        source.add()
        server.wake()
        assert await watcher.entry() == source.entries[5]
        source.go_on.set()
        assert [await joining.entry() for _ in range(2)] == source.entries[4:]
        watcher.close()
        joining.close()

    serve(body)


def test_gateways_hear_that_the_loop_lives_after_what_it_wrote_by_then(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    source.epoch, source.beat = 2, 40

    async def body(server: FeedServer) -> None:
        gateways = [await Gateway.connect(layout, 5, f"gateway-{n}") for n in range(2)]
        await until(lambda: len(server.gateways()) == 2)
        source.add()
        source.beat += 1
        for gateway in gateways:
            heard = []
            while Beat(2) not in heard:
                heard.append(await gateway.hear())
            assert source.entries[-1] in heard
            heard = [await gateway.hear() for _ in range(4)]
            assert not any(isinstance(one, Beat) for one in heard), "it has not risen since"
            gateway.close()

    serve(body)


def test_reports_are_handed_on_and_recorded_goes_to_its_gateway_only(
    serve: Callable[[Body], None], layout: Layout, statuses: list[tuple[str, Status]]
) -> None:
    async def body(server: FeedServer) -> None:
        gateways = [await Gateway.connect(layout, 5, f"gateway-{n}") for n in range(2)]
        await until(lambda: len(server.gateways()) == 2)
        status = Status({"a": 1.0}, {"b": 2.0})
        gateways[1].say(status)
        await until(lambda: statuses == [("gateway-1", status)])
        await asyncio.to_thread(server.recorded, "gateway-0", 4, 99)
        heard: list[list[feed.ToGateway]] = [[], []]
        while not any(isinstance(m, Recorded) for m in heard[0]):
            heard[0].append(await gateways[0].hear())
        for _ in range(3):
            heard[1].append(await gateways[1].hear())
        assert heard[0][-1] == Recorded(4, 99)
        assert all(isinstance(m, Heartbeat) for m in heard[1])
        for gateway in gateways:
            gateway.close()

    serve(body)


@pytest.mark.parametrize(
    "data",
    [
        feed.encode_message(Ack(1, 1)),
        feed.LENGTH.pack(3) + b"abc",
        feed.LENGTH.pack(feed.MAX_MESSAGE_BYTES + 1),
        feed.LENGTH.pack(10) + b"a",
    ],
)
def test_nonsense_ends_its_own_connection_only(
    serve: Callable[[Body], None], layout: Layout, data: bytes
) -> None:
    async def body(server: FeedServer) -> None:
        good = await Gateway.connect(layout, 5)
        await until(lambda: len(server.gateways()) == 1)
        reader, writer = await asyncio.open_unix_connection(layout.feed_socket)
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        assert isinstance(await good.hear(), Heartbeat)
        good.close()

    serve(body)


def test_a_store_that_is_away_does_not_end_the_heartbeats(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        gateway = await Gateway.connect(layout, 5)
        await until(lambda: len(server.gateways()) == 1)
        source.broken = True
        source.add()
        server.wake()
        for _ in range(3):
            assert await gateway.hear() == Heartbeat(5)
        source.broken = False
        assert await gateway.entry() == source.entries[-1]
        gateway.close()

    serve(body)


def test_a_store_that_answers_late_keeps_no_heartbeat(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        gateway = await Gateway.connect(layout, 5)
        await until(lambda: len(server.gateways()) == 1)
        source.stall_at = 5
        server.wake()
        await asyncio.to_thread(source.stalled.wait, 10)
        joining = await Gateway.connect(layout, 5, "gateway-1")
        for _ in range(3):
            assert await gateway.hear() == Heartbeat(5)
            assert await joining.hear() == Heartbeat(5)
        assert not source.go_on.is_set()
        assert [s.gateway for s in server.gateways()] == ["gateway-0"]
        source.go_on.set()
        await until(lambda: len(server.gateways()) == 2)
        gateway.close()
        joining.close()

    serve(body)


def test_a_socket_left_by_a_killed_control_is_taken_over(
    serve: Callable[[Body], None], layout: Layout
) -> None:
    layout.feed_socket.touch()

    async def body(server: FeedServer) -> None:
        gateway = await Gateway.connect(layout, 0)
        assert (await gateway.entry()).body == IN_FORCE
        assert (await gateway.entry()).body == PLAN
        gateway.close()

    serve(body)
