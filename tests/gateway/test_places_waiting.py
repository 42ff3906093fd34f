"""Waiting for a place: whose turn it is."""

import asyncio

from tests.gateway import virtual
from tests.gateway.waiting import full, places, settled, wait


def test_turns_come_as_places_are_given_back() -> None:
    async def main() -> None:
        it = places()
        first, _ = full(it)
        low, high = wait(it, 2), wait(it, 0)
        await asyncio.sleep(3)
        assert it.line.counts == (1, 0, 1)
        first.release(virtual.now_s())
        assert (await high).queue_s == 3.0
        await settled()
        assert not low.done()
        high.result().release(virtual.now_s())
        (await low).release(virtual.now_s())
        assert (it.in_flight, it.line.count) == (1, 0)

    virtual.run(main())


def test_nobody_passes_those_who_wait_but_a_higher_class_into_a_free_place() -> None:
    async def main() -> None:
        it = places(max_in_flight=20)
        taken = full(it)
        it.take(0, False, 0.0)
        taken.pop().release(0.0)  # kept for the first class, which has just been seen
        low = wait(it, 1)
        await settled()
        assert not low.done()
        assert it.take(1, False, 0.0) is None
        assert it.take(0, False, 0.0) is not None
        low.cancel()

    virtual.run(main())
