"""Who is late, in virtual time: only time in which the loop listened counts."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.gateway import virtual

from tidegate.stores.redis_deadlines import Deadlines
from tidegate.stores.redis_wire import RedisUnavailable

DEADLINE_S = 0.020
TURN_S = DEADLINE_S / 5


class Watched:
    def __init__(self) -> None:
        self.late: list[int] = []
        self.deadlines = Deadlines(DEADLINE_S, self.late.append)

    def __call__(self) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.deadlines.watch(future)
        return future


def stand_still(for_s: float) -> None:
    """The loop does something else: the clock goes on and nothing is heard."""
    asyncio.get_running_loop()._clock.now_s += for_s  # type: ignore[attr-defined]


def run(main: Coroutine[Any, Any, None]) -> None:
    virtual.run(main)


def test_who_gets_no_reply_is_late_after_the_deadline_and_about_a_turn() -> None:
    async def main() -> None:
        watched = Watched()
        for pause_s in (0.0, 0.003, 0.0101):
            await asyncio.sleep(pause_s)
            since_s, future = virtual.now_s(), watched()
            await asyncio.wait([future])
            assert isinstance(future.exception(), RedisUnavailable)
            assert DEADLINE_S - 1e-9 <= virtual.now_s() - since_s <= DEADLINE_S + TURN_S + 1e-9
        assert watched.late == [1, 1, 1]

    run(main())


def test_each_has_a_deadline_of_its_own() -> None:
    async def main() -> None:
        watched = Watched()
        first = watched()
        await asyncio.sleep(DEADLINE_S / 2)
        second = watched()
        await asyncio.wait([first])
        assert not second.done()
        second.set_result(b"in time")
        await asyncio.sleep(1.0)
        assert watched.late == [1]

    run(main())


def test_a_loop_that_stands_still_makes_nobody_late() -> None:
    async def main() -> None:
        watched = Watched()
        future = watched()
        for _ in range(2):
            stand_still(1.0)
            await asyncio.sleep(TURN_S)
        assert not future.done()
        future.set_result(b"heard now")
        await asyncio.sleep(1.0)
        assert watched.late == []

    run(main())


def test_a_server_that_answers_one_after_another_of_a_crowd_is_given_more_time() -> None:
    async def main() -> None:
        watched = Watched()
        crowd = [watched() for _ in range(4)]
        for future in crowd[:3]:
            await asyncio.sleep(DEADLINE_S * 0.7)
            watched.deadlines.heard()
            future.set_result(b"in turn")
        assert watched.late == []
        await asyncio.wait([crowd[3]])
        assert watched.late == [1]
        assert virtual.now_s() <= 3 * DEADLINE_S

    run(main())


def test_it_wakes_nobody_while_nothing_is_owed() -> None:
    async def main() -> None:
        watched = Watched()
        futures = [watched(), watched()]
        futures[0].cancel()
        futures[1].set_result(b"")
        await asyncio.sleep(1.0)
        assert watched.deadlines._timer is None
        assert not watched.deadlines._watched

    run(main())
