"""Every hold ends exactly once, and what is counted is what receipts say, wherever a request is cut
off: a simulation on virtual time that cancels one request at each of its awaits in turn.

A seed gives the requests, what their provider does, whether other targets are asked after it, what
becomes of answers that break a contract, and which of their clients leave; it is run once to see at
how many awaits its victim waits, and once more for each of them. 100 seeds with one target and 30
with several, ten times as many in `make soak`.
"""

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.gateway import virtual
from tests.gateway.rig import HELLO, Gateway, plan_of, target
from tests.gateway.routed import routed
from tests.gateway.test_holds_end_once import CutAt, Watched
from tests.gateway.wires import Caller, Provider, WiredLoop

from tidegate.core import clock
from tidegate.core.limit import SPEND, Gauge, Shape
from tidegate.core.plan import Contract, Limit, Queueing, Route, Target
from tidegate.core.receipt import Receipt
from tidegate.core.resilience import Breaker, Retry
from tidegate.gateway import front, journal, life
from tidegate.gateway.holding import moment
from tidegate.gateway.http.server import Connection
from tidegate.stores import memory_counters as stores
from tidegate.stores.spending import spent_by_target

REQUESTS = 6
VICTIM = 3  # not the first: it meets others that hold and wait
PATIENCE_S = 120.0  # long after the last deadline
SETTLED_S = 5.0  # what a request that has ended may still have under way
LIMITS = (
    Limit("daily", "requests", 10_000, ("key",), per_s=86_400.0),
    Limit("tokens", "tokens", 10_000_000, ("team",), per_s=86_400.0),
    Limit("parallel", "concurrency", 4, ("key",)),
    Limit("month", SPEND, 10**12, ("team",), unit="month"),
    Limit("per-model", "concurrency", 5, ("model",)),
    Limit("month-there", SPEND, 10**12, ("target",), unit="month"),
)


class Run:
    """One run of a seed, its victim cut at the n-th await; at 0 it is left alone."""

    def __init__(self, folder: Path, seed: int, at: int, *, several: bool) -> None:
        self.folder = folder
        self.several = several
        self.said = f"seed {seed}, cut at await {at}"
        self.chance = random.Random(seed)
        self.open_tickets: Counter[tuple[int, str, int]] = Counter()
        self.at = at
        self.awaits = 0
        self._begun = 0
        self._living = 0
        self.attempts = 0

    def make(self, shape: Shape) -> Any:
        return Watched(stores.memory_counters(shape), self.open_tickets)

    async def live(self, *arguments: Any) -> None:
        """In place of `life.live`."""
        self._begun += 1
        self._living += 1
        try:
            await self._cut(life_live(*arguments), victim=self._begun == VICTIM)
        finally:
            self._living -= 1

    async def _cut(self, inner: Coroutine[Any, Any, None], *, victim: bool) -> None:
        if not victim:
            await inner
            return
        cut = CutAt(inner, self.at)
        try:
            await cut
        finally:
            self.awaits = self.at - cut.left

    async def storm(self, it: Gateway) -> None:
        """Requests one after another, some of whose clients leave after a while."""
        chance, loop = self.chance, asyncio.get_running_loop()
        answer = front.Front(it.world).answer
        callers = []
        for _ in range(REQUESTS):
            caller = Caller(Connection(it.world.listener, answer))
            callers.append(caller)
            caller.ask(it.request(body={**HELLO, "stream": chance.random() < 0.5}))
            if chance.random() < 0.3:
                loop.call_later(chance.choice([0.0, 0.01, 0.5, 1.0]), caller.leave)
            await asyncio.sleep(chance.choice([0.0, 0.0, 0.01, 0.3]))
        until_s = loop.time() + PATIENCE_S
        while self._living and loop.time() < until_s:  # noqa: ASYNC110 - nothing announces the last
            await asyncio.sleep(1.0)
        await asyncio.sleep(SETTLED_S)
        for caller in callers:
            caller.leave()
        await asyncio.sleep(1.0)

    def routes(self, small: Target) -> dict[str, Route]:
        """It shares the requests with another, and a third is there for both, in line or not."""
        narrow = Queueing(max_in_flight=1, max_wait_s=1.0)
        fragile = Breaker(failures=2, open_s=1.0)
        other = target(2, "other", queueing=narrow, breaker=fragile, model="other")
        third = target(3, "third", queueing=narrow)
        retry = Retry(attempts=self.chance.choice([1, 3]), base_s=0.1, budget_least=100)
        chain: dict[str, Any] = {"unavailable": (third,), "rate_limited": (third,)}
        rule = self.chance.choice(["", "mark", "fail", "retry", "fallback"])
        if rule:  # what the provider says is no JSON
            chain["malformed"] = (third,)
            held = rule != "mark" and self.chance.random() < 0.5
            chain["contract"] = Contract(json=True, on_violation=rule, buffer=held)  # type: ignore[arg-type]
        return routed(small, other, retry=retry, **chain)

    async def main(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WiredLoop)
        loop.provider = Provider(self.chance)
        it = Gateway(self.folder, journal.JournalBounds(), {})
        it.journal.open()
        queueing = Queueing(max_in_flight=self.chance.choice([1, 2, 8]), max_wait_s=2.0)
        small = target(1, queueing=queueing)
        routes = self.routes(small) if self.several else {}
        assert await it.obey(plan_of(small, limits=LIMITS, routes=routes))
        sweeper = virtual.sweeping(it.world.sweep)
        await self.storm(it)
        sweeper.cancel()
        self.check(it)
        for pool in it.preparer.pools.values():
            pool.close()
        await it.journal.close()
        it.world.keys.close()

    def check(self, it: Gateway) -> None:
        assert not it.world.listener.connections, self.said
        assert not it.world.calls, self.said
        assert not +self.open_tickets, f"{self.said}: holds that never ended"
        assert it.world.plan is not None
        for name, places in it.world.queues:
            assert (places.in_flight, places.unanswered) == (0, 0), f"{self.said}: {name}"
        for ready in it.world.plan.routes["small"].targets():
            states = [replica.breaker.state for replica in ready.replicas]
            assert "half_open" not in states, f"{self.said}: nobody tries what is half open"
        self.attempts += sum(len(receipt.attempts) > 1 for receipt in it.receipts())
        refused = [receipt for receipt in it.receipts() if receipt.refused_by is not None]
        assert not any(receipt.holds for receipt in refused), f"{self.said}: holds of a no"
        for receipt in it.receipts():
            check_cost(receipt, self.said)
        counted = counted_by(it.receipts())
        there = Counter({scope: n for (name, scope), n in counted.items() if name == "month-there"})
        assert +there == spent_there(it.receipts()), self.said
        for limit in it.world.plan.limits.every():
            scopes = {scope for name, scope in counted if name == limit.limit.name}
            for scope in scopes:
                assert limit.counters is not None
                wanted = counted[limit.limit.name, scope]
                if isinstance(limit.shape, Gauge):
                    wanted = 0
                used = limit.counters.read(scope, 0, moment()).used
                assert used == wanted, f"{self.said}: {limit.limit.name} of {scope}"


def counted_by(receipts: list[Receipt]) -> Counter[tuple[str, str]]:
    """What receipts say that each limit has counted: what was used or, where nobody knows it of
    work that was done, what was held."""
    counted: Counter[tuple[str, str]] = Counter()
    for receipt in receipts:
        for hold in receipt.holds:
            used = hold.amount if hold.used is None else hold.used
            counted[hold.limit, hold.scope] += used
    return counted


def spent_there(receipts: list[Receipt]) -> Counter[str]:
    """What a gateway that begins anew finds spent at each target."""
    spent: Counter[str] = Counter()
    for receipt in receipts:
        for part, nanousd in spent_by_target(receipt):
            assert part.target is not None
            spent[part.target] += nanousd
    return spent


def check_cost(receipt: Receipt, said: str) -> None:
    """A request costs what its attempts have, and that is what its budget counts."""
    spent = receipt.most_nanousd if receipt.cost_nanousd is None else receipt.cost_nanousd
    used = [hold.used for hold in receipt.holds if hold.limit == "month"]
    assert used in ([], [spent]), said
    costs = [attempt.cost_nanousd for attempt in receipt.attempts]
    known = [cost for cost in costs if cost is not None]
    if len(known) == len(costs):
        assert receipt.cost_nanousd == sum(known), said
    else:
        assert receipt.cost_nanousd is None and spent is not None and spent > sum(known), said


life_live = life.live


def simulate(run: Run, monkeypatch: pytest.MonkeyPatch) -> int:
    """At how many awaits the victim waited."""
    monkeypatch.setattr("tests.gateway.rig.memory_counters", run.make)
    monkeypatch.setattr(front, "live", run.live)
    monkeypatch.setattr(clock, "fraction", run.chance.random)
    with asyncio.Runner(loop_factory=WiredLoop) as runner:
        runner.run(run.main())
    shutil.rmtree(run.folder)
    return run.awaits


@pytest.mark.parametrize(
    ("seeds", "several"),
    [
        pytest.param(range(100), False, id="100"),
        pytest.param(range(30), True, id="30 with several targets"),
        pytest.param(range(2000), False, marks=pytest.mark.soak, id="2000"),
        pytest.param(range(500), True, marks=pytest.mark.soak, id="500 with several targets"),
    ],
)
def test_every_hold_ends_once_and_counters_say_what_receipts_say(
    tmp_path: Path, seeds: range, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "monotonic_s", virtual.now_s)
    monkeypatch.setattr(clock, "wall_s", lambda: 1_790_000_000.0 + virtual.now_s())
    monkeypatch.setattr(journal, "_sync", lambda file: None)
    cut = attempts = 0
    for seed in seeds:
        whole = Run(tmp_path / "whole", seed, 0, several=several)
        awaits = simulate(whole, monkeypatch)
        attempts += whole.attempts
        for at in range(1, awaits + 1):
            simulate(Run(tmp_path / "cut", seed, at, several=several), monkeypatch)
        cut += awaits
    assert cut > 2 * len(seeds), "victims are cut while they wait for more than one thing"
    assert (attempts > len(seeds)) == several, "many are asked of more than one target"
