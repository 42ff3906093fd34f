"""The store of shared counters that a plan names, kept connected and filled from the ledger.

A store outlives a plan that names it again and counts the same money. Where a plan counts other
money its counters are others too, which are filled from the ledger before a hard budget lets pass.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from tidegate.core.database_ref import CountersRef, CounterStore, resolve
from tidegate.core.plan import Plan, Route
from tidegate.gateway.shared_past import SharedPast
from tidegate.stores.errors import StoreError
from tidegate.stores.redis_address import RedisAddress, parse
from tidegate.stores.redis_counters import RedisCounters
from tidegate.stores.redis_wants import LEASE_S, Want

log = logging.getLogger(__name__)

LOOK_S: Final = 0.1
RETRY_S: Final = 1.0
DRAIN_S: Final = 2.0
_LEASE_SLACK_S: Final = 60.0

# What the plan says of the store, and what stands for the money that is counted there.
Identity = tuple[CounterStore, str]
Rows = Callable[[], Awaitable[Iterable[Want]]]


class Past(Protocol):
    """What the ledger holds. Both raise StoreError and OSError."""

    async def rows(self, limits: Any, wall_s: float) -> Iterable[Want]:
        """All that counts of these limits of money at that time."""

    async def amounts(self, of: Sequence[tuple[Any, str]]) -> Sequence[Iterable[tuple[float, int]]]:
        """(wall clock, nano-dollars) of each of these limits in a scope."""


class SharedStore:
    """One store. `rows` gives what the ledger holds of the money of the plan that is counted there.

    `in_use` counts what is taken and not given back.
    """

    def __init__(self, address: RedisAddress, gateway: str, identity: Identity, past: Past) -> None:
        named, space = identity
        self.identity = identity
        self.counters = RedisCounters(address, gateway, named.mode, space=space)
        self.learn = SharedPast(self.counters, past.amounts).learn
        self.rows: Rows | None = None
        self.in_use = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connects, and is filled; does nothing when it is under way."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def ready(self, timeout_s: float) -> None:
        """Waits until counters can be asked, or not any longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self.counters.available:  # noqa: ASYNC110 - nothing announces it
                    await asyncio.sleep(LOOK_S / 10)

    async def close(self) -> None:
        """Gives back what is in hand, if that can be told in time."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self.counters.drain()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def retire(self) -> None:
        """Closes once every request that it counts has ended."""
        while self.in_use:  # noqa: ASYNC110 - once in a plan's life
            await asyncio.sleep(RETRY_S)
        await self.close()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.counters.run())
            tasks.create_task(self._keep_filled())

    async def _keep_filled(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self.rows is None or not self.counters.unseeded:
                continue
            try:
                await self.counters.seed(int(self.counters.wall_s()), self.rows)
            except Exception as error:  # or the connection would end with this task
                if not isinstance(error, StoreError | OSError):
                    log.exception("filling shared counters met something unforeseen")
                log.error("shared counters cannot be filled, hard budgets refuse: %s", error)
                await asyncio.sleep(RETRY_S)


class SharedStores:
    """The stores of one plan after another. `current` is the one in force."""

    def __init__(self, gateway: str, environ: Mapping[str, str], past: Past) -> None:
        self._gateway = gateway
        self._environ = environ
        self._past = past
        self._retiring: set[asyncio.Task[None]] = set()
        self.current: SharedStore | None = None

    def of(self, plan: Plan, money: Iterable[object]) -> SharedStore | None:
        """The store that the plan names, None for memory. `money` tells what is counted of it.
        ValueError and OSError where its address is not to be had."""
        named = plan.counters
        if named is None:
            return None
        identity = named, _space(money)
        if self.current is not None and self.current.identity == identity:
            return self.current
        ref = CountersRef(named.env, named.file, named.url)
        url = resolve(ref, self._environ, lambda file: Path(file).read_text("utf-8"))
        return SharedStore(parse(url.reveal()), self._gateway, identity, self._past)

    def adopt(self, store: SharedStore | None, money: Any) -> None:
        """`store` counts from now on, these limits of money among others; the one before ends with
        the requests that it counts."""
        before, self.current = self.current, store
        if before is not None and before is not store:
            task = asyncio.get_running_loop().create_task(before.retire())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        if store is not None:
            counters = store.counters
            store.rows = lambda: self._past.rows(money, counters.wall_s())
            store.start()

    async def close(self) -> None:
        """Gives back what is in hand."""
        for task in self._retiring:
            task.cancel()
        if self.current is not None:
            await self.current.close()


def lease_s(plan: Plan) -> float:
    """Longer than any request of the plan lasts."""
    longest_s = max(map(_longest_s, plan.routes.values()), default=0.0)
    return max(LEASE_S, longest_s + _LEASE_SLACK_S)


def _longest_s(route: Route) -> float:
    """Every attempt that a request of the route may come to, one after the other."""
    longest_s = 0.0
    for target in route.reachable:
        once_s = target.deadlines.total_s + target.queueing.max_wait_s + target.deadlines.connect_s
        longest_s += once_s * route.retry.attempts
    pause_s = max(route.retry.cap_s, route.retry.retry_after_cap_s)
    return longest_s + pause_s * len(route.reachable) * (route.retry.attempts - 1)


def _space(money: Iterable[object]) -> str:
    """What stands for this money in the names of counters."""
    text = repr(sorted(map(repr, money)))
    return f":{hashlib.sha256(text.encode()).hexdigest()[:12]}"
