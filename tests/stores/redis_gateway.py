"""A gateway of its own process, as far as the counters in Redis go: what tests start by several.

    python -m tests.stores.redis_gateway SOCKET NAME MODE DEADLINE_S

It says "ready", then does what it reads, a line of JSON at a time, and answers each with one.
"""

import asyncio
import random
import sys
from typing import Any

import msgspec
import uvloop
from tests.stores.redis_rig import budget, until_ready, want

from tidegate.core import clock
from tidegate.core.limit import Bucket, Gauge
from tidegate.stores.redis_address import parse
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import Quota, Refused, Taken

# What callers on a busy machine miss for a moment is still there when they come.
RATE_BURST = 20


class Gateway:
    """Each method is one thing that it can be told to do, with the line's values."""

    def __init__(self, store: RedisCounters, name: str) -> None:
        self._store = store
        self._name = name
        self._number = 0
        self._held: list[Taken] = []

    async def _take(self, quota: Quota, amount: int) -> Any:
        self._number += 1
        return await self._store.take(f"{self._name}-{self._number}", [want(quota, amount)])

    async def burst(self, callers: int, allowed: int, seed: int) -> dict[str, int]:
        """Callers that hold up to five units and use some, until they have been refused thrice."""
        quota, drawn = budget(allowed), random.Random(seed)
        sums = {"used": 0, "taken": 0, "refused": 0, "away": 0}

        async def caller() -> None:
            refused = 0
            while refused < 3:
                amount = drawn.randint(1, 5)
                taken = await self._take(quota, amount)
                if not isinstance(taken, Taken):
                    refused += 1
                    sums["refused" if isinstance(taken, Refused) else "away"] += 1
                    await asyncio.sleep(0.01)
                    continue
                await asyncio.sleep(drawn.random() * 0.005)
                used = drawn.randint(0, amount)
                sums["used"] += used
                sums["taken"] += 1
                self._store.give_back(taken, [used])

        await asyncio.gather(*(caller() for _ in range(callers)))
        return sums

    async def once(self, callers: int, allowed: int) -> dict[str, int]:
        """Every caller wants one unit, once, and uses it."""
        quota = budget(allowed, "once")
        answers = await asyncio.gather(*(self._take(quota, 1) for _ in range(callers)))
        taken = [one for one in answers if isinstance(one, Taken)]
        for one in taken:
            self._store.give_back(one, [1])
        return {"taken": len(taken)}

    async def rate(self, per_s: float, for_s: float) -> dict[str, float]:
        """Asks far more often than it is allowed, for a while."""
        quota = Quota("rate", Bucket(per_s, RATE_BURST))
        taken, since_s = 0, clock.monotonic_s()
        while (until_s := clock.monotonic_s()) < since_s + for_s:
            taken += isinstance(await self._take(quota, 1), Taken)
            await asyncio.sleep(0.0005)
        return {"taken": taken, "since_s": since_s, "until_s": until_s}

    async def seed(self, amount: int, slowly_s: float) -> dict[str, bool]:
        """Fills the counters from a ledger that takes its time."""
        asked = False

        async def rows() -> list[Any]:
            nonlocal asked
            asked = True
            await asyncio.sleep(slowly_s)
            return [want(budget(1_000), amount)]

        while not self._store.available:
            if self._store.unseeded:
                await self._store.seed(int(clock.wall_s()), rows)
            await asyncio.sleep(0.01)
        return {"asked": asked}

    async def hold(self, count: int, allowed: int, lease_s: float) -> dict[str, int]:
        """Holds so many of a gauge at once, each as soon as there is room for it."""
        quota = Quota("at once", Gauge(allowed), lease_s=lease_s)
        while len(self._held) < count:
            taken = await self._take(quota, 1)
            if isinstance(taken, Taken):
                self._held.append(taken)
            else:
                await asyncio.sleep(0.02)
        return {"held": len(self._held)}

    async def let_go(self) -> dict[str, float]:
        while self._held:
            self._store.give_back(self._held.pop(), [0])
        return await self.drain()

    async def at_once(self, allowed: int, lease_s: float) -> dict[str, int]:
        """How many all hold of it."""
        quota = Quota("at once", Gauge(allowed), lease_s=lease_s)
        (reading,) = await self._store.read([want(quota)])
        return {"used": reading.used}

    async def drain(self) -> dict[str, float]:
        await self._store.drain()
        return self._store.counters()


async def main(path: str, name: str, mode: Any, deadline_s: float) -> None:
    store = RedisCounters(parse(f"unix://{path}"), name, mode, deadline_s=deadline_s)
    running = asyncio.ensure_future(store.run())
    await until_ready(store)
    gateway = Gateway(store, name)
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        verb, *values = msgspec.json.decode(line)
        answer = await getattr(gateway, verb)(*values)
        print(msgspec.json.encode(answer).decode(), flush=True)
    running.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])))
