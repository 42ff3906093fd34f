"""Every hold ends exactly once, wherever its request is cut off.

A request's coroutine is cancelled at one of its awaits, chosen by a seed, while others go on; its
provider answers, fails, stalls or hangs up; some clients leave by themselves. 100 seeds, 2,000 in
`make soak`.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.rig import HELLO, Gateway, gateway, run, target, until
from tests.gateway.upstream import Exchange, Script, Upstream, stalling, streaming, whole

from tidegate.core.limit import Counters, Moment, Shape
from tidegate.core.plan import Limit
from tidegate.gateway import front, life
from tidegate.stores import memory_counters as stores

REQUESTS = 6
AWAITS = 8
LIMITS = (
    Limit("rpm", "requests", 10_000, ("key",), per_s=60.0),
    Limit("tpm", "tokens", 10_000_000, ("team",), per_s=60.0),
    Limit("parallel", "concurrency", 4, ("key",)),
    Limit("month", "spend", 10**12, ("team",), unit="month"),
    Limit("per-model", "concurrency", 5, ("model",)),
)


async def hangs_up(exchange: Exchange) -> None:
    exchange.transport.abort()


SCRIPTS: tuple[Script, ...] = (
    whole(),
    streaming(3, gap_s=0.001),
    stalling(None),
    stalling(1),
    whole({"error": {"message": "no"}}, 500),
    hangs_up,
)


class CutAt:
    """A coroutine that is cancelled at its n-th await. `left` is how many are still to come."""

    def __init__(self, inner: Coroutine[Any, Any, None], at: int) -> None:
        self._inner = inner
        self.left = at

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self._inner.__await__()
        error: BaseException | None = None
        try:
            while True:
                step = next(steps) if error is None else steps.throw(error)
                error, self.left = None, self.left - 1
                if self.left == 0:
                    if isinstance(step, asyncio.Future):
                        step.cancel()
                    error = asyncio.CancelledError()
                    continue
                try:
                    yield step
                except BaseException as told:
                    error = told  # by the loop, because the client has left
        except StopIteration:
            return


class Watched:
    """Counters that write down every ticket taken and ended."""

    def __init__(self, inner: Counters, open_tickets: Counter[tuple[int, str, int]]) -> None:
        self._inner = inner
        self._open = open_tickets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __len__(self) -> int:
        return len(self._inner)

    def take(self, scope: str, amount: int, now: Moment) -> int | None:
        ticket = self._inner.take(scope, amount, now)
        if ticket is not None:
            self._open[id(self), scope, ticket] += 1
        return ticket

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        self._open[id(self), scope, ticket] -= 1
        assert self._open[id(self), scope, ticket] >= 0, "a hold ended twice"
        self._inner.give_back(scope, ticket, held, used, now)


async def storm(it: Gateway, up: Upstream, chance: random.Random) -> None:
    """Requests at once; some clients leave after a while."""

    async def one() -> None:
        _, writer = await it.connect()
        writer.write(it.request(body={**HELLO, "stream": chance.random() < 0.5}))
        await asyncio.sleep(chance.random() * 0.02)
        writer.transport.abort()

    up.script = chance.choice(SCRIPTS)
    await asyncio.gather(*(one() for _ in range(REQUESTS)))
    await until(lambda: not it.world.listener.connections)
    await until(lambda: not it.world.calls)


def hold(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    open_tickets: Counter[tuple[int, str, int]] = Counter()

    def make(shape: Shape) -> Any:
        return Watched(stores.memory_counters(shape), open_tickets)

    async def cut(*arguments: Any) -> None:
        inner = life.live(*arguments)
        if chance.random() < 0.5:
            await CutAt(inner, chance.randint(1, AWAITS))
        else:
            await inner

    monkeypatch.setattr("tests.gateway.rig.memory_counters", make)
    monkeypatch.setattr(front, "live", cut)

    async def main() -> None:
        async with Upstream() as up, gateway(tmp_path, target(up.port), limits=LIMITS) as it:
            for _ in range(2):
                await storm(it, up, chance)
            assert not +open_tickets, f"seed {seed}: holds that never ended"
            assert it.world.plan is not None
            places = it.world.queues.at(it.world.plan.routes["small"].target.target)
            assert (places.in_flight, places.unanswered) == (0, 0), f"seed {seed}"

    run(main())


@pytest.mark.parametrize(
    "seeds", [range(100), pytest.param(range(2000), marks=pytest.mark.soak)], ids=["100", "2000"]
)
def test_every_hold_ends_once(
    tmp_path: Path, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in seeds:
        hold(tmp_path / str(seed), seed, monkeypatch)
