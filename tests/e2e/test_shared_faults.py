"""Redis killed, stopped, slowed and cut off under load: no request fails for a soft limit, a hard
budget says so, and both are counted again within a bounded number of looks."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.e2e.shared_fleet import COST, Fleet, budget, fleet
from tests.gateway.rig import run

from tidegate.core.plan import Limit

pytestmark = pytest.mark.redis

CALLERS = 8
OUTAGE_S = 1.2  # longer than a connection is waited for
LOOK_S = 0.05
PAUSE_S = 0.02  # of each caller between two requests, or all of a processor is theirs
# Five seconds of looks that cost nothing; of a hard budget each look waits half a second itself.
MOST_LOOKS, MOST_ASKS = 100, 10
SOFT = Limit("rate", "requests", 10**6, ("key",), per_s=60.0)

Mend = Callable[[], None]


def killed(it: Fleet) -> Mend:
    it.server.kill()
    return it.server.start


def stopped(it: Fleet) -> Mend:
    it.server.signal(signal.SIGSTOP)
    return lambda: it.server.signal(signal.SIGCONT)


def slowed(it: Fleet) -> Mend:
    it.network.delay_s = 0.5
    return lambda: setattr(it.network, "delay_s", 0.0)


def cut(it: Fleet) -> Mend:
    it.network.cut()
    return it.network.mend


FAULTS = (killed, stopped, slowed, cut)


async def looks_until(true: Callable[[], Awaitable[bool]], most: int, what: str) -> None:
    since_s = time.monotonic()
    for looks in range(1, most + 1):
        if await true():
            print(f"\n{what}: after {looks} looks, {time.monotonic() - since_s:.2f} s")
            return
        await asyncio.sleep(LOOK_S)
    pytest.fail(f"{what}: not after {most} looks")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", ["exact", "slice"])
def test_no_request_fails_for_a_soft_limit_and_it_is_counted_again_soon(
    mode: str, fault: Callable[[Fleet], Mend], tmp_path: Path
) -> None:
    async def main() -> None:
        async with fleet(tmp_path, mode, SOFT, count=2, through=True) as it:
            seen: Counter[int] = Counter()

            async def caller(number: int) -> None:
                while True:
                    seen[(await it.ask(number)).status] += 1
                    await asyncio.sleep(PAUSE_S)

            async def counted() -> bool:
                return all([(await it.usage(number)).status == 200 for number in (0, 1)])

            callers = [asyncio.create_task(caller(number)) for number in range(CALLERS)]
            await asyncio.sleep(0.2)
            mend = fault(it)
            await asyncio.sleep(OUTAGE_S / 2)
            before = seen[200]
            assert not await counted()
            await asyncio.sleep(OUTAGE_S / 2)
            assert seen[200] > before
            await asyncio.to_thread(mend)
            await looks_until(counted, MOST_LOOKS, f"{fault.__name__}, soft, {mode}")
            for one in callers:
                one.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
            assert set(seen) == {200}

    run(main())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_hard_budget_says_so_and_serves_again_soon(
    fault: Callable[[Fleet], Mend], tmp_path: Path
) -> None:
    async def main() -> None:
        async with fleet(tmp_path, "exact", budget(10_000 * COST), count=2, through=True) as it:
            assert (await it.ask(0)).status == 200
            mend = fault(it)
            no = await it.ask(0)
            assert (no.status, no.json["error"]["code"]) == (503, "limits_unavailable")
            await asyncio.to_thread(mend)

            async def served() -> bool:
                return (await it.ask(0)).status == 200

            await looks_until(served, MOST_ASKS, f"{fault.__name__}, hard")

    run(main())
