"""The line before a target: who is refused when, and who is told what."""

import asyncio

import pytest
from tests.gateway import virtual
from tests.gateway.waiting import A, code_of, full, places, settled, wait

from tidegate.core.outcome import Refusal
from tidegate.core.plan import Queueing
from tidegate.gateway.entrance import Wish


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
        assert it.entrance.shed == {"deadline": 1}
        in_time.cancel()

    virtual.run(main())


def test_a_deadline_that_has_passed_waits_for_nothing() -> None:
    it = places()
    full(it)
    assert virtual.run(code_of(it.wait(Wish(1, A, deadline_s=-1.0), 0.0))) == "deadline_too_short"


def test_who_does_not_want_a_place_any_more_leaves_and_the_others_wait_on() -> None:
    async def main() -> None:
        it, gone = places(), LookupError("gone")
        full(it)
        leaves, stays = wait(it, gone=lambda: gone), wait(it, gone=lambda: None)
        plain = wait(it)
        await settled()
        it.entrance.turn_away()
        with pytest.raises(LookupError):
            await leaves
        assert not (stays.done() or plain.done())
        assert (it.line.count, it.entrance.shed) == (2, {})
        stays.cancel()
        plain.cancel()

    virtual.run(main())


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


def test_a_turn_after_the_caller_s_deadline_goes_to_the_next() -> None:
    async def main() -> None:
        it = places()
        first, _ = full(it)
        late = wait(it, deadline_s=5.0)
        await asyncio.sleep(4)
        next_one = wait(it)
        await asyncio.sleep(2)
        first.release(virtual.now_s())
        assert await code_of(late) == "deadline_too_short"
        assert (await next_one).queue_s == 2.0

    virtual.run(main())


def test_a_gateway_that_stood_still_takes_it_out_on_nobody() -> None:
    """F6: who waits goes on waiting; what is guessed of the line is what it was before."""

    async def main() -> None:
        it = places(max_wait_s=5.0)
        for place in full(it):
            place.release(1.0)
        first, _ = full(it)
        waiting, by_caller = wait(it), wait(it, deadline_s=4.0)
        await asyncio.sleep(1)
        it.entrance.stood_still(30.0)
        await asyncio.sleep(30)
        it.sweep(virtual.now_s(), 15.0)
        assert await code_of(by_caller) == "deadline_too_short", "its clock went on"
        assert not waiting.done()
        soon = wait(it, deadline_s=3.0)
        await settled()
        assert not soon.done(), "the line is known to move"
        first.release(virtual.now_s())
        assert (await waiting).queue_s == 31.0
        soon.cancel()

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
        assert it.entrance.shed == {"full": 1, "evicted": 1}
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
        it.entrance.shed_from(1, lambda: Refusal("overloaded", "short of memory"))
        assert await code_of(low) == "overloaded"
        assert it.line.counts == (1, 0, 0)
        high.cancel()

    virtual.run(main())
