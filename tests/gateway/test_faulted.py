"""Requests whose provider fails in every way, and whose callers leave: nothing of them stays.

1,500 of them; 20,000 in `make soak`, whose last result is in docs/soak.md.
"""

import asyncio
import gc
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.gateway.faulted import Callers, Faults, counted
from tests.gateway.rig import Gateway, gateway, run, target, until
from tests.gateway.routed import SOON, routed
from tests.gateway.test_holds_end_once import Watched
from tests.gateway.upstream import Upstream

from tidegate.core import clock
from tidegate.core.limit import SPEND, Gauge, Shape
from tidegate.core.plan import Limit, Queueing, Route, Target
from tidegate.core.resilience import Breaker, Deadlines
from tidegate.core.secret import SecretRef
from tidegate.gateway.holding import moment
from tidegate.gateway.retry_budget import MONEY_BIN_S
from tidegate.stores import memory_counters as stores

LIMITS = (
    Limit("rpm", "requests", 1_000_000, ("key",), per_s=60.0),
    Limit("tpm", "tokens", 1_000_000_000, ("team",), per_s=60.0),
    Limit("parallel", "concurrency", 46, ("key",)),
    Limit("month", SPEND, 10**15, ("team",), unit="month"),
    Limit("per-model", "concurrency", 44, ("model",)),
)
TIMES = Deadlines(connect_s=0.5, first_token_s=0.1, gap_s=0.06, total_s=0.25)
ENVIRON = {"KEY_A": "sk-a", "KEY_B": "sk-b"}
# A second of work for two busy cores.
A_ROUND = 500
# Within which everybody has left.
RESTS_S = 15.0


def targets(up: Upstream, dead_port: int) -> list[Target]:
    """Of each wire several, with two credentials each, and one that nobody serves."""
    fields: dict[str, Any] = {
        "deadlines": TIMES,
        "breaker": Breaker(open_s=0.05),
        "queueing": Queueing(max_in_flight=12, max_wait_s=0.1),
        "credential": SecretRef("KEY_A"),
        "more_credentials": (SecretRef("KEY_B"),),
    }
    wires = ("openai_compatible", "anthropic", "openai") * 3
    pool = [target(up.port, f"t{n}", dialect=wire, **fields) for n, wire in enumerate(wires)]
    return [*pool, target(dead_port, "gone", **fields)]


def routes(up: Upstream, dead_port: int) -> dict[str, Route]:
    *pool, last = targets(up, dead_port)
    spare = replace(pool[0], name="spare")
    retry = replace(
        SOON, budget_percent=1000, retry_after_cap_s=0.02, wasted_nanousd_per_hour=10**15
    )
    return routed(*pool, last, retry=retry, unavailable=(spare,), rate_limited=(spare,))


async def sweeps(it: Gateway) -> None:
    """What the ticker of a process does."""
    while True:
        await asyncio.sleep(0.02)
        it.world.sweep(clock.monotonic_s())
        it.world.listener.sweep(clock.monotonic_s())
        for pool in it.preparer.pools.values():
            pool.sweep(clock.monotonic_s())


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def at_rest(it: Gateway, up: Upstream, tasks: int) -> None:
    """Until everybody has left, connections that idle are closed, and no more tasks are left than
    `tasks`. TimeoutError where that never comes."""
    async with asyncio.timeout(RESTS_S):
        await until(lambda: not it.world.listener.connections)
        for pool in it.preparer.pools.values():
            pool.sweep(clock.monotonic_s() + 60.0)
        await until(lambda: not any(pool.open for pool in it.preparer.pools.values()))
        await until(lambda: not up.connections)
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
    up.exchanges.clear()
    gc.collect()


def check(it: Gateway, open_tickets: Counter[tuple[int, str, int]], said: str) -> None:
    """Holds, places, exchanges, breakers and counters are as if nothing had happened."""
    world = it.world
    assert not +open_tickets, f"{said}: holds that never ended"
    assert not world.calls and not world.waiting and not world.relays, said
    assert not world.listener.in_work(), said
    assert world.plan is not None
    for name, places in world.queues:
        assert (places.in_flight, places.unanswered, places.line.count) == (0, 0, 0), (said, name)
    for ready in world.plan.routes["small"].targets():
        states = [replica.breaker.state for replica in ready.replicas]
        assert "half_open" not in states, f"{said}: nobody tries what is half open"
        tripped = sum(state != "closed" for state in states)
        assert ready.tripped.count == tripped, f"{said}: {ready.target.name}"
    for pool in it.preparer.pools.values():
        assert (pool.open, pool.in_flight, pool.waiting) == (0, 0, 0), said
    for limit in world.plan.limits.every():
        if isinstance(limit.shape, Gauge):
            assert limit.counters is not None
            for scope in {scope for _, scope, _ in open_tickets}:
                assert limit.counters.read(scope, 0, moment()).used == 0, (said, limit.limit.name)


def check_receipts(it: Gateway, ids: list[str], said: str) -> None:
    """One receipt for whoever was answered, and the budget counts what receipts say."""
    receipts = it.receipts()
    assert len({receipt.id for receipt in receipts}) == len(receipts), said
    assert set(ids) <= {receipt.id for receipt in receipts}, said
    assert it.world.plan is not None
    used = sum(
        hold.amount if hold.used is None else hold.used
        for receipt in receipts
        for hold in receipt.holds
        if hold.limit == "month"
    )
    [month] = [one for one in it.world.plan.limits.every() if one.limit.name == "month"]
    assert month.counters is not None
    assert month.counters.read("team-a", 0, moment()).used == used, said


def check_budget(it: Gateway) -> None:
    """Later the route may send as many once more as if nothing had been sent before."""
    assert it.world.plan is not None
    budget = it.world.plan.routes["small"].budget
    least, later_s = budget.retry.budget_least, clock.monotonic_s() + 3 * MONEY_BIN_S
    assert [budget.take(later_s) for _ in range(least + 1)] == [True] * least + [False]


def faulted(folder: Path, requests: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """So many requests in rounds, after each of which everything is at rest; what happened."""
    open_tickets: Counter[tuple[int, str, int]] = Counter()
    chance = random.Random(seed)
    faults, told = Faults(chance), ""

    def make(shape: Shape) -> Any:
        return Watched(stores.memory_counters(shape), open_tickets)

    monkeypatch.setattr("tests.gateway.rig.memory_counters", make)

    async def main() -> None:
        nonlocal told
        async with Upstream(faults) as up, Upstream() as dead:
            await dead.__aexit__()
            ways = routes(up, dead.port)
            first = ways["small"].release.target
            async with gateway(folder, first, routes=ways, limits=LIMITS, environ=ENVIRON) as it:
                callers = Callers(it, chance)
                sweeper = asyncio.create_task(sweeps(it))
                tasks = len(asyncio.all_tasks())
                await callers.storm(A_ROUND)  # what is made once
                await at_rest(it, up, tasks)
                open_files = descriptors()
                for number in range(A_ROUND, requests, A_ROUND):
                    await callers.storm(A_ROUND)
                    await at_rest(it, up, tasks)
                    said = f"seed {seed}, after {number + A_ROUND}"
                    check(it, open_tickets, said)
                    assert descriptors() <= open_files, said
                check_receipts(it, callers.ids, f"seed {seed}")
                check_budget(it)
                sweeper.cancel()
                told = counted([faults.did, callers.ends])

    run(main(), patience_s=600.0)
    return told


@pytest.mark.parametrize(
    ("requests", "seed"),
    [
        pytest.param(1_500, 20264, id="1500"),
        pytest.param(20_000, 20265, marks=pytest.mark.soak, id="20000"),
    ],
)
def test_faulted_requests_leave_nothing(
    tmp_path: Path, requests: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(faulted(tmp_path, requests, seed, monkeypatch))
