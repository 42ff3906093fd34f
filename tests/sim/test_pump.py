import asyncio

from tidegate.capacity.profiles import profile
from tidegate.capacity.request import Request
from tidegate.sim.pump import Pump


def requests(*outputs: int) -> list[Request]:
    return [Request(str(at), 4, output) for at, output in enumerate(outputs)]


async def everything(ticket) -> list[tuple[int, int]]:
    found = []
    while news := await ticket.news():
        found += news
    return found


def test_news_come_by_choice_and_end_when_all_have_finished():
    async def run() -> None:
        pump = Pump(profile("instant"), 1.0)
        ticket = pump.submit(requests(3, 1))
        assert await everything(ticket) == [(0, 1), (1, 1), (0, 2)]
        assert ticket.generated == 4
        assert await ticket.news() == []
        assert pump.engine.next_event_at() is None

    asyncio.run(run())


def test_steps_keep_the_engines_time():
    async def run() -> None:
        loop = asyncio.get_running_loop()
        pump = Pump(profile("steady"), speed=4.0)
        begun_s = loop.time()
        ticket = pump.submit(requests(3))
        await everything(ticket)
        assert loop.time() - begun_s >= 3 * 0.02 / 4.0 - 0.002
        readings = pump.engine.readings()
        assert (readings.steps, readings.generation_tokens) == (3, 3)

    asyncio.run(run())


def test_leaving_takes_the_request_out_of_the_engine():
    async def run() -> None:
        pump = Pump(profile("steady"), 1.0)
        stays, leaves = pump.submit(requests(1)), pump.submit([Request("x", 4, 500)])
        pump.leave(leaves)
        assert pump.engine.readings().finished == {"abort": 1}
        assert await everything(stays) == [(0, 1)]
        pump.leave(stays)
        assert pump.engine.readings().finished == {"abort": 1, "stop": 1}
        pump.stop()

    asyncio.run(run())


def test_a_stopped_pump_wakes_no_more():
    async def run() -> None:
        pump = Pump(profile("steady"), 1.0)
        pump.submit(requests(5))
        pump.stop()
        await asyncio.sleep(0.05)
        assert pump.engine.readings().generation_tokens == 0
        pump.settle()
        assert pump.engine.readings().generation_tokens > 0
        pump.stop()

    asyncio.run(run())
