"""When targets are probed, and what probes have shown of them. Times are monotonic seconds.

Every gateway process probes for itself: breakers are its own, and so is the way to a provider. No
two do so in step: the first probe comes at any time within a period, and each period is a tenth
longer or shorter than the plan says.
"""

import asyncio
import logging
import math
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from tidegate.core import clock
from tidegate.core.receipt import Receipt
from tidegate.gateway.prepared import PreparedPlan
from tidegate.gateway.prepared_probe import PreparedProbe
from tidegate.gateway.prepared_target import PreparedReplica
from tidegate.gateway.probe import probe
from tidegate.gateway.world import World

log = logging.getLogger(__name__)

MINUTE_S: Final = 60.0
MINUTES: Final = 60
# Between two looks at one part, whatever asks for it.
LEAST_GAP_S: Final = 1.0
# What is due for longer was due while nothing ran here: a paused machine, a stalled loop.
LATE_S: Final = 2.0
JITTER: Final = 0.1

# A target's name and its provider's.
Whose = tuple[str, str]


class Part(Struct, eq=False):
    """One replica with one credential. `good` is what its last probe showed, None before. `waits`
    for a credential: the probe that was due goes when there is one."""

    due_s: float
    looked_s: float = -math.inf
    task: "asyncio.Task[None] | None" = None
    good: bool | None = None
    waits: bool = False


class Minute(Struct):
    """What the probes of one minute came to."""

    number: int
    good: int = 0
    probes: int = 0
    nanousd: int = 0


class LastHour:
    """The sum of the last sixty minutes; one counts until all of it is an hour ago."""

    def __init__(self) -> None:
        self._minutes: deque[Minute] = deque(maxlen=MINUTES + 1)

    def at(self, now_s: float) -> Minute:
        """The minute of now, to be added to."""
        number = int(now_s // MINUTE_S)
        if not self._minutes or self._minutes[-1].number != number:
            self._minutes.append(Minute(number))
        return self._minutes[-1]

    def sum(self, now_s: float) -> Minute:
        number = int(now_s // MINUTE_S)
        late = [it for it in self._minutes if number - it.number <= MINUTES]
        sums = (sum(getattr(it, name) for it in late) for name in ("good", "probes", "nanousd"))
        return Minute(number, *sums)


class Probed(Struct, eq=False):
    """What the probes of one target have shown, by replica and credential, and what they cost.

    `held_nanousd` is the most that those under way can cost. `last_good_at_s` is of the wall clock.
    """

    parts: dict[tuple[str, str], Part] = {}
    hour: LastHour = field(default_factory=LastHour)
    skipped: Counter[str] = field(default_factory=Counter)
    held_nanousd: int = 0
    last_good_at_s: float | None = None
    ttft_s: float | None = None

    def availability(self, now_s: float) -> float | None:
        """The good ones of the last hour's probes; None where there was none."""
        sums = self.hour.sum(now_s)
        return sums.good / sums.probes if sums.probes else None

    def affords(self, nanousd: int, ceiling_nanousd: int, now_s: float) -> bool:
        """Whether one that can cost so much is within what an hour may cost."""
        spent_nanousd = self.hour.sum(now_s).nanousd + self.held_nanousd
        return not nanousd or spent_nanousd + nanousd <= ceiling_nanousd


class Prober:
    """Probes the targets of the plan of now, until it is stopped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plan: PreparedPlan | None = None
        self._probed: dict[Whose, Probed] = {}
        self._missing: dict[str, str] = {}  # by target, as it was told
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    def __iter__(self) -> Iterator[tuple[str, Probed]]:
        return ((name, it) for (name, _), it in self._probed.items())

    def sweep(self, now_s: float) -> None:
        """Begins the probes that are due. Called ten times a second."""
        plan = self._world.plan
        if plan is None or self._stopped:
            return
        if plan is not self._plan:
            self._adopt(plan, now_s)
        for asked in plan.probes.values():
            probed = self._probed[_whose(asked)]
            tripped = asked.target.tripped.count > 0
            for replica in asked.target.replicas:
                part = probed.parts[_place(replica)]
                if tripped and replica.breaker.state == "open":
                    _hasten(part, replica)
                if part.waits and not asked.target.lacks_credential:
                    part.due_s, part.waits = now_s, False
                if now_s >= part.due_s:
                    self._look(asked, replica, part, now_s)

    async def stop(self) -> None:
        """Ends every probe; each leaves its receipt."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _adopt(self, plan: PreparedPlan, now_s: float) -> None:
        """What is probed as before goes on as it was; what is not any more is forgotten."""
        before, self._probed, self._plan = self._probed, {}, plan
        for asked in plan.probes.values():
            probed = self._probed[_whose(asked)] = before.get(_whose(asked)) or Probed()
            every_s, parts = asked.probe.every_s, {}
            for replica in asked.target.replicas:
                part = probed.parts.get(_place(replica)) or Part(now_s + every_s * clock.fraction())
                part.due_s = min(part.due_s, now_s + every_s * (1 + JITTER))
                parts[_place(replica)] = part
            probed.parts = parts
        self._tell_missing(plan)

    def _tell_missing(self, plan: PreparedPlan) -> None:
        """What cannot be probed for want of a credential, once until it is another: a plan is also
        another one whenever a change begins or ends."""
        now = {name: it.target.missing for name, it in plan.probes.items() if it.target.missing}
        for name, what in now.items():
            if self._missing.get(name) != what:
                log.warning("target %s is not probed: %s is not set here", name, what)
        off = plan.plan.probes.keys() - plan.probes.keys()
        self._missing = {name: it for name, it in self._missing.items() if name in off} | now

    def _look(
        self, asked: PreparedProbe, replica: PreparedReplica, part: Part, now_s: float
    ) -> None:
        """The part's time has come: it is probed, or it is not this time."""
        late, every_s, drawn = now_s - part.due_s > LATE_S, asked.probe.every_s, clock.fraction()
        part.looked_s = now_s
        part.due_s = now_s + every_s * (drawn if late else 1 + JITTER * (2 * drawn - 1))
        if late:
            return  # many gateways may have stood still together
        probed = self._probed[_whose(asked)]
        why = self._why_not(asked, replica, part, now_s)
        if why is not None:
            probed.skipped[why] += 1
            part.waits = why == "credential"
            return
        task = asyncio.get_running_loop().create_task(self._probe(asked, replica, part, probed))
        part.task = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _why_not(
        self, asked: PreparedProbe, replica: PreparedReplica, part: Part, now_s: float
    ) -> str | None:
        """Why it is not probed now, in a word. Callers go first wherever there is not room for
        all."""
        world, target, pool = self._world, asked.target, replica.pool
        places = world.queues.at(target.target)
        full = places.line.count > 0 or places.in_flight >= places.limit.limit
        if part.task is not None and not part.task.done():
            return "in_flight"
        if world.journal.full:
            return "journal"
        if world.pressure.sheds:
            return "pressure"
        if target.lacks_credential:
            return "credential"
        if replica.credential.wait_s(asked.input_tokens, now_s):
            return "resting"
        if full or pool.waiting or pool.in_flight + 1 >= pool.max_connections:
            return "busy"
        ceiling_nanousd = asked.probe.nanousd_per_hour
        probed = self._probed[_whose(asked)]
        afforded = probed.affords(asked.most_nanousd or 0, ceiling_nanousd, now_s)
        return None if afforded else "money"

    async def _probe(
        self, asked: PreparedProbe, replica: PreparedReplica, part: Part, probed: Probed
    ) -> None:
        most_nanousd = asked.most_nanousd or 0
        probed.held_nanousd += most_nanousd
        try:
            receipt = await probe(asked, replica, self._world)
        finally:
            probed.held_nanousd -= most_nanousd
        now_s = clock.monotonic_s()
        cost = receipt.cost_nanousd
        spent_nanousd = cost if cost is not None else receipt.most_nanousd or most_nanousd
        probed.hour.at(now_s).nanousd += spent_nanousd
        _note(probed, part, receipt, now_s)
        breaker = replica.breaker
        if breaker.state == "closed" and breaker.failures and part.good is False:
            # In time to be counted with this one: so the breaker opens ahead of callers.
            soon_s = max(0.9 * breaker.rules.window_s / breaker.rules.failures, LEAST_GAP_S)
            part.due_s = min(part.due_s, now_s + soon_s)


def _note(probed: Probed, part: Part, receipt: Receipt, now_s: float) -> None:
    """What one has shown of its target. What was our own no shows nothing."""
    if receipt.error_fault in ("gateway", "policy"):
        return
    good = receipt.error_code is None
    minute = probed.hour.at(now_s)
    minute.good, minute.probes = minute.good + good, minute.probes + 1
    if good:
        probed.last_good_at_s, probed.ttft_s = clock.wall_s(), receipt.ttft_s
    if good and part.good is False:
        log.info("target %s, %s: answers its probes again", receipt.target, receipt.replica)
    elif not good and part.good is not False:
        what = receipt.error_message
        log.warning("target %s, %s: a probe failed: %s", receipt.target, receipt.replica, what)
    part.good = good


def _hasten(part: Part, replica: PreparedReplica) -> None:
    """What is left alone is tried before a caller's request would have to try it."""
    ahead_s = replica.breaker.retry_s - replica.breaker.rules.open_s / 2
    part.due_s = min(part.due_s, max(ahead_s, part.looked_s + LEAST_GAP_S))


def _whose(asked: PreparedProbe) -> Whose:
    return asked.target.target.name, asked.target.target.provider


def _place(replica: PreparedReplica) -> tuple[str, str]:
    return replica.name, replica.credential.name
