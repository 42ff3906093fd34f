import asyncio
from collections.abc import Awaitable, Callable

from tests.control.feed_ends import IN_FORCE, PLAN, Source

from tidegate.control.feed_reading import FeedReading, News
from tidegate.core.cache_labels import EVERYTHING
from tidegate.core.feed import AnswersInvalidated, Entry, Forget, Invalidation

AFRESH = News([Entry(4, Forget()), Entry(4, IN_FORCE), Entry(5, PLAN)], afresh=True)


def read(source: Source, body: Callable[[FeedReading], Awaitable[None]]) -> None:
    reading = FeedReading(source)
    asyncio.run(body(reading))  # type: ignore[arg-type]
    reading.close()


def test_what_came_since_is_told_and_whoever_is_new_gets_what_is_in_force() -> None:
    source = Source(5)

    async def body(reading: FeedReading) -> None:
        assert await reading.after(3) == News(source.entries[3:])
        assert await reading.after(5) == News([])
        assert await reading.after(0) == News([Entry(4, IN_FORCE), Entry(5, PLAN)])
        assert await reading.newest_seq() == 5

    read(source, body)


def test_where_something_is_missing_it_begins_anew() -> None:
    source = Source(5)
    source.kept_from = 4

    async def body(reading: FeedReading) -> None:
        assert await reading.after(2) == AFRESH, "too long ago"
        assert await reading.after(9) == AFRESH, "an older copy of the store"

    read(source, body)


def test_the_pulse_is_the_loops() -> None:
    source = Source(5)
    source.epoch, source.beat = 3, 7

    async def body(reading: FeedReading) -> None:
        assert await reading.pulse() == (3, 7)

    read(source, body)


def test_other_work_off_the_loop_keeps_no_reading_waiting() -> None:
    """Every thread that the loop shares out is busy, as with slow questions of operators."""
    source = Source(5)

    async def body(reading: FeedReading) -> None:
        slow = [asyncio.ensure_future(asyncio.to_thread(source.go_on.wait, 30)) for _ in range(40)]
        assert await reading.newest_seq() == 5
        assert not any(it.done() for it in slow)
        source.go_on.set()
        await asyncio.gather(*slow)

    read(source, body)


def test_whoever_begins_is_told_what_was_invalidated_lately() -> None:
    source = Source(5)
    source.invalidations = (Invalidation("01A", EVERYTHING),)

    async def body(reading: FeedReading) -> None:
        told = Entry(4, AnswersInvalidated(source.invalidations))
        assert (await reading.after(0)).entries[0] == told

    read(source, body)
