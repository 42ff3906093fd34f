"""Taking a place, waiting for one, leaving: nothing leaks, whenever a request is cancelled."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest
from tests.gateway import virtual

from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.core.priority import PRIORITIES
from tidegate.gateway.places import FIRST_WATCHED, Place, Places, Wish

A, B = ("a", None), ("b", None)


def places(**settings: Any) -> Places:
    return Places(Queueing(**{"max_in_flight": 2, **settings}), 100)


def full(it: Places) -> list[Place]:
    """All of its places, taken at 0."""
    taken = []
    while (place := it.take(1, False, 0.0)) is not None:
        taken.append(place)
    return taken


def wait(it: Places, rank: int = 1, **wish: Any) -> "asyncio.Task[Place]":
    wanted = Wish(rank, wish.pop("tenant", A), False, **wish)
    return asyncio.create_task(it.wait(wanted, virtual.now_s()))


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def code_of(waiting: Coroutine[Any, Any, Place] | asyncio.Task[Place]) -> str:
    with pytest.raises(Refusal) as refused:
        await waiting
    return refused.value.code.name


def test_a_place_is_had_at_once_as_long_as_there_is_one() -> None:
    it = places()
    assert len(full(it)) == it.in_flight == 2


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


def test_while_the_target_owes_many_first_tokens_only_the_first_class_goes_on() -> None:
    it = places(max_in_flight=100)
    for second in range(100):
        place = it.take(1, True, float(second))
        assert place is not None
        place.first_token(10, float(second), second + 0.1)
        place.release(second + 10.0)
    unanswered = 0
    while (place := it.take(1, True, 200.0)) is not None:
        last, unanswered = place, unanswered + 1
    assert unanswered == it.limit.most_unanswered == 3
    assert it.take(0, True, 200.0) is not None
    last.first_token(10, 200.0, 200.1)
    last.first_token(10, 200.0, 200.2)
    assert it.unanswered == 3


def test_a_place_is_given_back_once() -> None:
    it = places()
    place, _ = full(it)
    place.release(1.0)
    with pytest.raises(RuntimeError, match="once"):
        place.release(1.0)
    assert it.in_flight == 1


def test_without_evidence_nobody_is_refused() -> None:
    async def main() -> None:
        it = places()
        full(it)
        waiting = wait(it, deadline_s=0.001)
        await settled()
        assert not waiting.done()
        await asyncio.sleep(1)
        it.sweep(virtual.now_s(), 15.0)
        assert await code_of(waiting) == "deadline_too_short"

    virtual.run(main())


def test_who_cannot_be_served_in_time_is_told_at_once() -> None:
    async def main() -> None:
        it = places(max_wait_s=30.0)
        for place in full(it):
            place.release(4.0)  # a place is held for 4 s: 2 of them are free every 2 s
        full(it)
        in_time = wait(it, deadline_s=2.5)
        await settled()
        assert not in_time.done()
        with pytest.raises(Refusal) as refused:
            await it.wait(Wish(1, A, deadline_s=3.0), 0.0)
        assert refused.value.code.name == "deadline_too_short"
        assert refused.value.retry_after_s == pytest.approx(4.0)
        assert it.shed == {"deadline": 1}
        in_time.cancel()

    virtual.run(main())


def test_a_deadline_that_has_passed_waits_for_nothing() -> None:
    it = places()
    full(it)
    assert virtual.run(code_of(it.wait(Wish(1, A, deadline_s=-1.0), 0.0))) == "deadline_too_short"


def test_a_wait_has_an_end() -> None:
    async def main() -> None:
        it = places(max_wait_s=5.0)
        full(it)
        waiting = wait(it)
        await asyncio.sleep(4.9)
        it.sweep(virtual.now_s(), 15.0)
        await settled()
        assert not waiting.done()
        await asyncio.sleep(0.2)
        it.sweep(virtual.now_s(), 15.0)
        assert await code_of(waiting) == "overloaded"
        assert it.line.count == 0

    virtual.run(main())


def test_a_turn_that_comes_too_late_goes_to_the_next() -> None:
    async def main() -> None:
        it = places(max_wait_s=5.0)
        first, _ = full(it)
        late = wait(it)
        await asyncio.sleep(4)
        next_one = wait(it)
        await asyncio.sleep(2)
        first.release(virtual.now_s())
        assert await code_of(late) == "overloaded"
        assert (await next_one).queue_s == 2.0

    virtual.run(main())


def test_a_full_line_refuses_the_lowest_or_gives_it_up() -> None:
    async def main() -> None:
        it = places(max_waiting=2)
        full(it)
        batch, standard = wait(it, 2), wait(it, 1)
        await settled()
        assert await code_of(wait(it, 2)) == "overloaded"
        interactive = wait(it, 0)
        assert await code_of(batch) == "overloaded"
        assert it.line.counts == (1, 1, 0)
        assert it.shed == {"full": 1, "evicted": 1}
        standard.cancel()
        interactive.cancel()

    virtual.run(main())


def test_clients_that_wait_are_kept_company() -> None:
    async def main() -> None:
        heard: list[tuple[float, float]] = []
        it = places()
        full(it)
        waiting = wait(it, keep_alive=lambda now_s, every_s: heard.append((now_s, every_s)))
        await asyncio.sleep(1)
        it.sweep(1.0, 15.0)
        assert heard == [(1.0, 15.0)]
        waiting.cancel()

    virtual.run(main())


def test_what_a_plan_changes_holds_for_those_who_wait() -> None:
    async def main() -> None:
        it = places()
        full(it)
        waiting = wait(it)
        await settled()
        it.obey(Queueing(max_in_flight=3), 100)
        it.sweep(0.0, 15.0)
        assert (await waiting).beside == 3
        it.obey(Queueing(max_in_flight=500), 100)
        assert it.limit.limit == 100, "there are no more connections"

    virtual.run(main())


def test_classes_that_are_not_served_are_sent_away_from_the_line() -> None:
    async def main() -> None:
        it = places()
        full(it)
        high, low = wait(it, 0), wait(it, 2)
        await settled()
        it.shed_from(1, lambda: Refusal("overloaded", "short of memory"))
        assert await code_of(low) == "overloaded"
        assert it.line.counts == (1, 0, 0)
        high.cancel()

    virtual.run(main())


async def _live(it: Places, chance: random.Random, ended: list[str]) -> None:
    """One request, as the stages treat it."""
    rank, streamed = chance.randrange(len(PRIORITIES)), chance.random() < 0.7
    deadline_s = chance.choice([None, None, 0.5, 3.0])
    now_s = virtual.now_s()
    place = None
    try:
        place = it.take(rank, streamed, now_s)
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
        if place is not None:
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
        assert it.in_flight <= it.limit.limit + 1
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


def test_a_target_far_from_its_limit_is_watched_by_few_and_counted_whole() -> None:
    places = Places(Queueing(), 512)
    taken = []
    for number in range(FIRST_WATCHED + 160):
        place = places.take(1, True, float(number))
        assert place is not None
        taken.append(place.stands_for)
        place.release(number + 0.5)
    assert taken[:FIRST_WATCHED] == [1] * FIRST_WATCHED
    assert sum(taken[FIRST_WATCHED:]) == 160
    assert set(taken[FIRST_WATCHED:]) == {0, 16}
    assert places.in_flight == 0
