"""Nothing leaks at a target, whenever a request is cancelled."""

import asyncio
import random

import pytest
from tests.gateway import virtual
from tests.gateway.waiting import A, B, full, places, settled, wait

from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.core.priority import PRIORITIES
from tidegate.gateway.entrance import Wish
from tidegate.gateway.places import Places


async def _live(it: Places, chance: random.Random, ended: list[str]) -> None:
    """One request, as the stages treat it."""
    rank, streamed = chance.randrange(len(PRIORITIES)), chance.random() < 0.7
    deadline_s = chance.choice([None, None, 0.5, 3.0])
    now_s = virtual.now_s()
    place = None
    try:
        place = it.take_unwatched(rank == 0) or it.take(rank, streamed, now_s)
        if place is None:
            wish = Wish(rank, chance.choice([A, B]), streamed, deadline_s=deadline_s)
            place = await it.wait(wish, now_s)
        await asyncio.sleep(chance.choice([0.0, 0.1, 0.1, 1.0]))
        if streamed:
            place.first_token(chance.randrange(3), now_s, virtual.now_s())
        await asyncio.sleep(chance.choice([0.0, 0.1, 2.0]))
        ended.append("served")
    except Refusal as no:
        ended.append(no.code.name)
    finally:
        if place is it.unwatched:
            if it.leave_unwatched():
                it.left(virtual.now_s())
        elif place is not None:
            place.release(virtual.now_s())


async def _storm(seed: int) -> set[str]:
    """Many requests, cancelled at any of their awaits: as they begin, as they wait, in the same
    turn of the loop as their turn comes, and after it."""
    chance = random.Random(seed)
    it = Places(Queueing(max_in_flight=chance.choice([None, 3]), max_waiting=8, max_wait_s=4), 5)
    ended: list[str] = []
    tasks = []
    for _ in range(80):
        task = asyncio.create_task(_live(it, chance, ended))
        tasks.append(task)
        if chance.random() < 0.5:
            after_s = chance.choice([0.0, 0.1, 0.1, 0.2, 1.0, 1.1, 2.0])
            asyncio.get_running_loop().call_later(after_s, task.cancel)
        if chance.random() < 0.5:
            await asyncio.sleep(chance.choice([0.0, 0.05, 0.1]))
        if chance.random() < 0.2:
            it.sweep(virtual.now_s(), 15.0)
        assert it.in_flight <= 5, "there are no more connections"
        assert it.line.count <= 8
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.1)
        it.sweep(virtual.now_s(), 15.0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in outcomes} <= {type(None), asyncio.CancelledError}
    assert (it.in_flight, it.unanswered, it.line.count) == (0, 0, 0)
    assert it.line.counts == (0, 0, 0)
    return set(ended)


@pytest.mark.parametrize("seeds", [200, pytest.param(2000, marks=pytest.mark.soak)])
def test_whenever_a_request_is_cancelled_it_leaves_no_place_taken_and_nobody_in_line(
    seeds: int,
) -> None:
    seen: set[str] = set()
    for seed in range(seeds):
        seen |= virtual.run(_storm(seed))
    assert seen == {"served", "overloaded", "deadline_too_short"}


def test_cancelled_in_the_very_turn_in_which_its_turn_comes() -> None:
    async def main() -> None:
        it = places()
        first, _ = full(it)
        gone, next_one = wait(it), wait(it)
        await settled()
        first.release(1.0)
        gone.cancel()
        assert (await next_one).beside == 2
        assert it.in_flight == 2
        with pytest.raises(asyncio.CancelledError):
            await gone

    virtual.run(main())
