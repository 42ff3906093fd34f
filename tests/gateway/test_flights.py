"""One asks for all that ask the same: whatever happens to it, and to them."""

import asyncio
import random

import pytest
from tests.gateway.virtual import run

from tidegate.core.kept_answer import Found, KeptAnswer
from tidegate.gateway.flights import Flights

KEY = b"k"
FOUND = Found(KeptAnswer("r", 1.0, 60.0, "t", False, b"{}"), 0.0, {})


async def waiting(
    flights: Flights, count: int, patience_s: float | None = None
) -> list["asyncio.Task[Found | str]"]:
    tasks = [asyncio.ensure_future(flights.join(KEY, patience_s)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


def test_all_have_the_answer_and_the_next_asks_anew() -> None:
    async def main() -> None:
        flights = Flights()
        assert flights.lead(KEY)
        assert not flights.lead(KEY)
        tasks = await waiting(flights, 3)
        flights.landed(KEY, FOUND)
        assert await asyncio.gather(*tasks) == [FOUND] * 3
        assert flights.lead(KEY)

    run(main())


def test_when_it_leaves_the_first_that_is_still_there_asks() -> None:
    async def main() -> None:
        flights = Flights()
        flights.lead(KEY)
        gone, first, second = await waiting(flights, 3)
        gone.cancel()
        flights.left(KEY)
        assert await first == "lead"
        assert not second.done()
        flights.landed(KEY, FOUND)
        assert await second == FOUND
        assert len(flights) == 0

    run(main())


def test_a_second_failure_lets_everybody_ask() -> None:
    async def main() -> None:
        flights = Flights()
        flights.lead(KEY)
        first, *others = await waiting(flights, 4)
        flights.failed(KEY)
        assert await first == "lead"
        flights.failed(KEY)
        assert await asyncio.gather(*others) == ["alone"] * 3
        assert KEY not in flights

    run(main())


def test_an_answer_that_is_not_for_others_lets_everybody_ask() -> None:
    async def main() -> None:
        flights = Flights()
        flights.lead(KEY)
        tasks = await waiting(flights, 2)
        flights.alone(KEY)
        assert await asyncio.gather(*tasks) == ["alone"] * 2

    run(main())


def test_who_waits_no_longer_goes_and_takes_no_turn_along() -> None:
    async def main() -> None:
        flights = Flights()
        flights.lead(KEY)
        [hurried] = await waiting(flights, 1, 5.0)
        [patient] = await waiting(flights, 1)
        with pytest.raises(TimeoutError):
            await hurried
        flights.left(KEY)
        assert await patient == "lead"

    run(main())


def test_a_turn_that_came_too_late_is_the_next_one_s() -> None:
    async def main() -> None:
        flights = Flights()
        flights.lead(KEY)
        first, second = await waiting(flights, 2)
        flights.left(KEY)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second == "lead"

    run(main())


def test_nobody_is_forgotten_whatever_happens() -> None:
    async def main(rng: random.Random) -> None:
        flights = Flights()
        flights.lead(KEY)
        tasks = await waiting(flights, 20)
        led = 1
        while KEY in flights:
            for task in rng.sample(tasks, 4):
                task.cancel()
            rng.choice([flights.left, flights.left, flights.failed])(KEY)
            await asyncio.sleep(0)
            led += 1
            assert led < 50
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(it in ("lead", "alone") or isinstance(it, BaseException) for it in done)

    for seed in range(30):
        run(main(random.Random(seed)))
