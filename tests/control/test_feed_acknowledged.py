"""Who made a change waits until every gateway obeys it, here and elsewhere."""

import asyncio
from collections.abc import Callable

from tests.control.feed_ends import IN_FORCE, PLAN, Body, Gateway, Source, until

from tidegate.control.feed_server import UNKNOWN, FeedServer
from tidegate.core.feed import Ack, Entry, Forget
from tidegate.core.layout import Layout
from tidegate.gateway.journal import Journal, JournalBounds
from tidegate.stores.errors import StoreUnavailable


def test_when_the_store_is_an_older_copy_every_gateway_begins_anew(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        gateway = await Gateway.connect(layout, 5)
        await until(lambda: len(server.gateways()) == 1)
        del source.entries[2:]
        afresh = [Entry(1, Forget()), Entry(1, IN_FORCE), Entry(2, PLAN)]
        assert [await gateway.entry() for _ in range(3)] == afresh
        gateway.say(Ack(2, 3))
        await until(lambda: [it.seq for it in server.gateways()] == [2])
        seq = source.add()  # its number was given before
        assert await server.acknowledged(seq, 0.05) == ["gateway-0"]
        gateway.say(Ack((await gateway.entry()).seq, 3))
        assert await server.acknowledged(seq, 10) == []
        gateway.close()

    serve(body)


def test_acknowledgements_are_waited_for_and_the_slow_are_named(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        quick = await Gateway.connect(layout, 5, "gateway-0")
        slow = await Gateway.connect(layout, 5, "gateway-1")
        await until(lambda: len(server.gateways()) == 2)
        seq = source.add()
        server.wake()
        waiting = asyncio.ensure_future(server.acknowledged(seq, 10))
        quick.say(Ack((await quick.entry()).seq, 3))
        slow.say(Ack((await slow.entry()).seq, 2, "cannot obey it"))
        assert await waiting == []
        seen = {s.gateway: (s.plan_version, s.error) for s in server.gateways()}
        assert seen == {"gateway-0": (3, None), "gateway-1": (2, "cannot obey it")}
        seq = source.add()
        server.wake()
        quick.say(Ack((await quick.entry()).seq, 3))
        assert await server.acknowledged(seq, 0.05) == ["gateway-1"]
        slow.close()  # one that has ended obeys nothing and is not waited for
        assert await server.acknowledged(seq, 10) == []
        quick.close()
        await until(lambda: server.gateways() == [])
        again = await Gateway.connect(layout, seq, "gateway-0", 3)
        await until(lambda: [s.plan_version for s in server.gateways()] == [3])
        again.close()

    serve(body)


def test_one_that_runs_and_is_not_connected_is_waited_for(
    serve: Callable[[Body], None], layout: Layout, source: Source
) -> None:
    async def body(server: FeedServer) -> None:
        journal = Journal(layout.journal_of("gateway-0"), JournalBounds())
        journal.open()
        seq = source.add()
        assert await server.acknowledged(seq, 0.05) == ["gateway-0"]  # it never said Hello here
        waiting = asyncio.ensure_future(server.acknowledged(seq, 10))
        gateway = await Gateway.connect(layout, 5)
        gateway.say(Ack((await gateway.entry()).seq, 3))
        assert await waiting == []
        gateway.close()
        await until(lambda: server.gateways() == [])
        assert await server.acknowledged(seq, 0.05) == ["gateway-0"]
        await journal.close()
        assert await server.acknowledged(seq, 10) == []

    serve(body)


def test_where_nobody_can_tell_of_other_machines_they_are_named_and_no_error_is_told(
    layout: Layout, source: Source
) -> None:
    answers: list[list[str] | None] = [None, ["two/gateway-0"], [], []]

    def behind(_seq: int) -> list[str]:
        answer = answers.pop(0)
        if answer is None:
            raise StoreUnavailable("away")
        return answer

    async def main() -> None:
        server = FeedServer(layout, source, lambda *_: None, behind)
        await server.start()
        assert await server.acknowledged(5, 10) == []
        assert answers == []
        answers.extend([None] * 1000)
        assert await server.acknowledged(5, 0.05) == [UNKNOWN]
        await server.stop()

    asyncio.run(main())
