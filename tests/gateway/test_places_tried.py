"""A limit that is too low while long streams hold every place: what shows that more is borne."""

import asyncio

from tests.gateway import virtual
from tests.gateway.waiting import A, settled

from tidegate.core.plan import Queueing
from tidegate.gateway.concurrency import BEYOND_PART
from tidegate.gateway.entrance import Wish
from tidegate.gateway.places import STUCK_S, Place, Places

LOW = 16


def too_low(it: Places, streamed: bool = True, told: bool = True) -> list[Place]:
    """A target that has said once, at 0, that it has too much to do; all its places are held."""
    it.limit.pushed_back(0.0, 0.0)
    held = []
    while (place := it.take(1, streamed, 1.0)) is not None:
        held.append(place)
        if told:
            place.first_token(10, 1.0, 1.02)
    return held


def in_line(it: Places, many: int) -> "list[asyncio.Task[Place]]":
    return [asyncio.create_task(it.wait(Wish(1, A), 1.0)) for _ in range(many)]


async def turns(it: Places, waiting: "list[asyncio.Task[Place]]", now_s: float) -> list[Place]:
    """Whose turn has come by then."""
    it.sweep(now_s, 15.0)
    await settled()
    return [one.result() for one in waiting if one.done()]


async def dropped(waiting: "list[asyncio.Task[Place]]") -> None:
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_more_go_beyond_it_as_long_as_all_have_their_first_tokens_at_once() -> None:
    async def main() -> None:
        it = Places(Queueing(), 512)
        held = too_low(it)
        assert len(held) < 100
        waiting, told, now_s = in_line(it, 200 - len(held)), 0, 1.0
        while told < len(waiting):
            now_s += 0.1
            assert now_s < 6.0
            going = await turns(it, waiting, now_s)
            for place in going[told:]:
                place.first_token(10, now_s, now_s + 0.02)
            told = len(going)
        assert it.in_flight == 200
        assert it.limit.limit > 190

    virtual.run(main())


def test_at_first_it_is_one_in_eight_after_a_while_in_which_nobody_went() -> None:
    async def main() -> None:
        it = Places(Queueing(), 512)
        held = too_low(it)
        waiting = in_line(it, 50)
        assert await turns(it, waiting, 1.0 + STUCK_S - 0.01) == []
        tried = await turns(it, waiting, 1.0 + STUCK_S)
        assert len(tried) == len(held) // BEYOND_PART
        assert len(await turns(it, waiting, 9.0)) == len(tried), "they have no first token yet"
        await dropped(waiting)

    virtual.run(main())


def test_one_that_comes_late_there_does_not_lower_the_limit_and_no_more_go_beside_it() -> None:
    async def main() -> None:
        it = Places(Queueing(max_wait_s=100.0), 512)
        too_low(it)
        limit, waiting = it.limit.limit, in_line(it, 50)
        for seconds in range(2, 20):
            for place in await turns(it, waiting, float(seconds)):
                place.first_token(10, float(seconds), seconds + 9.0)
        assert it.limit.limit == limit
        assert it.in_flight == limit + limit // BEYOND_PART
        await dropped(waiting)

    virtual.run(main())


def test_none_goes_beyond_while_somebody_may_wait_at_the_target() -> None:
    async def main() -> None:
        for streamed, told in ((True, False), (False, False)):
            it = Places(Queueing(), 512)
            too_low(it, streamed, told)
            waiting = in_line(it, 50)
            assert await turns(it, waiting, 9.0) == []
            await dropped(waiting)

    virtual.run(main())


def test_none_goes_beyond_what_is_written() -> None:
    async def main() -> None:
        for queueing, most in (
            (Queueing(max_in_flight=LOW), 512),
            (Queueing(adaptive_max=LOW), 512),
            (Queueing(), LOW),
        ):
            it = Places(queueing, most)
            waiting = [asyncio.create_task(it.wait(Wish(1, A), 1.0)) for _ in range(50)]
            now_s = 1.0
            while now_s < 9.0:
                now_s += STUCK_S
                for place in await turns(it, waiting, now_s):
                    place.first_token(10, now_s, now_s + 0.02)
            assert it.in_flight == LOW
            await dropped(waiting)

    virtual.run(main())
