"""What was spent before this process counted: counters of money begin with the ledger's sums.

The ledger is the truth and counters follow it, never the other way round. One snapshot of the
ledger says what is in it and how far it has read each journal; what the journals hold beyond is
added, of every gateway that ever wrote here. So a killed gateway, recorder or control costs a
budget neither a cent nor a doubled one.

Whoever wants a scope that is not known yet waits for one read that all of them share. Requests
that were in flight then and hold nothing of that limit are added as they settle.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, cast

from msgspec import Struct

from tidegate.core import clock
from tidegate.core.layout import Layout
from tidegate.core.limit import Calendar, Counters, Moment, Rolling, Seeded
from tidegate.core.outcome import Refusal
from tidegate.core.receipt import Receipt
from tidegate.gateway.clock_steps import boot_id, note_steps
from tidegate.gateway.gate import Wanted
from tidegate.gateway.holding import moment
from tidegate.gateway.in_force import InForce
from tidegate.gateway.journal import Journal
from tidegate.gateway.journal_tail import decode_frames
from tidegate.gateway.past_reader import Found, PastReader, Question
from tidegate.gateway.past_rows import since_s
from tidegate.stores.errors import StoreError
from tidegate.stores.redis_wants import Want
from tidegate.stores.shared import Shared
from tidegate.stores.spend_reader import Amounts, SpendReader

log = logging.getLogger(__name__)

# How long a request waits for a read; the read goes on for whoever comes next.
PATIENCE_S: Final = 2.0
ALERT_PATIENCE_S: Final = 0.25
READ_TIMEOUT_S: Final = 30.0
RETRY_S: Final = 1.0
# Reads of one ask are short, so that what comes meanwhile does not wait for all of it.
MAX_AT_ONCE: Final = 64
MAX_WAITING: Final = 16_384
MAX_REMEMBERED: Final = 16_384
_TRIES: Final = 5

Place = tuple[Counters, str]


class Asked(Struct, eq=False):
    """One scope that a read is under way for. The answer is whether it is known now."""

    it: InForce
    scope: str
    answer: "asyncio.Future[bool]"


class LedgerPast:
    """Reads one state directory for the gateway that writes `journal` in it, and the database
    that it shares, if it does."""

    def __init__(
        self, layout: Layout, gateway: str, journal: Journal, shared: Shared | None = None
    ) -> None:
        self._journal = journal
        ledger = SpendReader(shared or layout.ledger_db, timeout_s=READ_TIMEOUT_S)
        self._reader = PastReader(ledger, layout.journal, gateway)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="past")
        self._listing = asyncio.Lock()
        self._asked: dict[Place, Asked] = {}
        self._queue: deque[Asked] = deque()
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self._alerts_rest_until_s = 0.0
        self._seeded: deque[tuple[float, InForce, str]] = deque(maxlen=MAX_REMEMBERED)
        self.seeded_s = float("-inf")
        self._ahead_s = clock.wall_s() - clock.monotonic_s()
        self._steps = note_steps(layout.clock_of(gateway), boot_id())

    async def learn(self, wanted: Wanted) -> Collection[InForce]:
        """Waits until each of these budgets knows what was spent of it. Those that only alert and
        could not be learnt come back: they are not counted now. Refusal for any other."""
        now = moment()
        unknown = [(it, scope) for it, scope, _ in wanted if it.money and _asks(it, scope, now)]
        if not unknown:
            return ()
        hard = [self._ask(it, scope) for it, scope in unknown if it.limit.on_excess != "alert"]
        await _wait(hard, PATIENCE_S)
        for one in hard:
            if not _is_known(one):
                raise Refusal(
                    "limits_unavailable",
                    f"what was spent of the budget {one.it.limit.name!r} cannot be read now",
                    retry_after_s=RETRY_S,
                )
        soft = [(it, scope) for it, scope in unknown if it.limit.on_excess == "alert"]
        return await self._learn_soft(soft)

    def count_late(
        self, receipt: Receipt, nanousd: int, received_s: float, held: Collection[Counters]
    ) -> None:
        """Adds what an attempt cost to what was learnt while its request was in flight and is not
        held for it. To be called before the receipt is appended to the journal, where `seeded_s` is
        after its start; `receipt` names the attempt's own target.
        """
        if not nanousd:
            return
        now = moment()
        counted = set(held)
        for at_s, it, scope in reversed(self._seeded):
            if at_s < received_s:
                return
            counters = it.counters
            assert counters is not None  # noqa: S101 - it was seeded
            if counters in counted or it.scope_of(receipt) != scope or not it.applies(receipt):
                continue
            counted.add(counters)
            ticket = counters.take(scope, 0, now)
            period_is_over = isinstance(it.shape, Calendar) and receipt.started_at_s < (ticket or 0)
            if ticket is not None and not period_is_over:
                counters.give_back(scope, ticket, 0, nanousd, now)

    def began(self, counters: Counters, scope: str, since_s: float) -> bool:
        for at_s, it, of in reversed(self._seeded):
            if at_s < since_s:
                return False
            if it.counters is counters and of == scope:
                return True
        return False

    async def rows(self, limits: Sequence[InForce], wall_s: float) -> list[Want]:
        """What fills the counters of these that several gateways share, at that time of their
        clock. StoreError, OSError."""
        unwritten: list[Receipt] = []
        decode_frames(self._journal.unwritten(), 0, unwritten)
        read = self._reader.everything
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, read, limits, unwritten, wall_s)

    async def amounts(self, of: Sequence[tuple[InForce, str]]) -> list[Amounts]:
        """What was spent of each of these in its scope. StoreError, OSError."""
        return (await self._read(of)).amounts

    async def recorded(self, ids: Sequence[str]) -> set[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._reader.recorded, ids)

    async def receipt(self, id: str) -> Receipt | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._reader.receipt, id)

    async def holds(
        self, since_s: float, most: int, *, late: bool = False, team: str | None = None
    ) -> list[Receipt]:
        """One after another: a read of what was spent stands behind one of these at most."""
        read, loop = self._reader.holds, asyncio.get_running_loop()
        async with self._listing:
            return await loop.run_in_executor(self._thread, read, since_s, most, late, team)

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._thread.submit(self._reader.close)
        self._thread.shutdown(wait=False)

    def _ask(self, it: InForce, scope: str) -> Asked:
        assert it.counters is not None  # noqa: S101 - money is counted
        place = it.counters, scope
        asked = self._asked.get(place)
        if asked is None:
            if len(self._asked) >= MAX_WAITING:
                raise Refusal("overloaded", "too many budgets are being read", retry_after_s=1.0)
            loop = asyncio.get_running_loop()
            asked = self._asked[place] = Asked(it, scope, loop.create_future())
            self._queue.append(asked)
            if self._task is None:
                self._task = loop.create_task(self._work())
        return asked

    async def _learn_soft(self, soft: list[tuple[InForce, str]]) -> Collection[InForce]:
        """Those that could not be learnt; nobody waits for them again before a while is over."""
        if clock.monotonic_s() < self._alerts_rest_until_s:
            return [it for it, _ in soft]
        asked = [self._ask(it, scope) for it, scope in soft]
        await _wait(asked, ALERT_PATIENCE_S)
        missing = [one.it for one in asked if not _is_known(one)]
        if missing:
            self._alerts_rest_until_s = clock.monotonic_s() + RETRY_S
        return missing

    async def _work(self) -> None:
        """Answers whatever is asked, one read after another."""
        try:
            while self._queue:
                count = min(len(self._queue), MAX_AT_ONCE)
                some = [self._queue.popleft() for _ in range(count)]
                known = await self._answer(some)
                for one in some:
                    del self._asked[cast(Counters, one.it.counters), one.scope]
                    one.answer.set_result(known)
        finally:
            self._task = None

    async def _answer(self, some: list[Asked]) -> bool:
        try:
            found = await self._read([(one.it, one.scope) for one in some])
        except Exception as error:
            if not isinstance(error, StoreError | OSError):
                log.exception("reading what was spent met something unforeseen")
            if not self._failing:
                log.error("what was spent cannot be read, hard budgets refuse: %s", error)
            self._failing = True
            return False
        self._failing = False
        now = moment()
        for one, past in zip(some, found.amounts, strict=True):
            cast(Seeded, one.it.counters).seed(one.scope, past, now)
            self._seeded.append((now.monotonic_s, one.it, one.scope))
        self.seeded_s = now.monotonic_s
        return True

    async def _read(self, of: Sequence[tuple[InForce, str]]) -> Found:
        """Everything up to this very turn of the loop: what settles later is `count_late`'s."""
        loop = asyncio.get_running_loop()
        # As rolling windows go: a wall clock that was set forward hides nothing of them.
        wall_s = min(clock.wall_s(), clock.monotonic_s() + self._ahead_s)
        rolls = [isinstance(it.shape, Rolling) for it, _ in of]
        earlier_s = self._steps.total_s
        questions = [
            Question(it, scope, since_s(it, wall_s) - (earlier_s if rolling else 0.0))
            for (it, scope), rolling in zip(of, rolls, strict=True)
        ]
        for _ in range(_TRIES):
            found = await loop.run_in_executor(self._thread, self._reader.read, questions)
            # Once more beside the loop, so that little is left to be read on it.
            await loop.run_in_executor(self._thread, self._reader.read_on, questions, found)
            self._reader.read_on(questions, found)
            unwritten: list[Receipt] = []
            decode_frames(self._journal.unwritten(), 0, unwritten)
            found.add(questions, unwritten)
            if found.whole:
                found.amounts = [
                    self._steps.dated(amounts) if rolling else amounts
                    for amounts, rolling in zip(found.amounts, rolls, strict=True)
                ]
                return found
        raise StoreError("the journals are read away faster than they can be followed")


def _asks(it: InForce, scope: str, now: Moment) -> bool:
    """Whether its counters begin with what is in the ledger, and have not yet."""
    return hasattr(it.counters, "knows") and not cast(Seeded, it.counters).knows(scope, now)


async def _wait(several: list[Asked], patience_s: float) -> None:
    if several:
        await asyncio.wait([one.answer for one in several], timeout=patience_s)


def _is_known(one: Asked) -> bool:
    return one.answer.done() and one.answer.result()
