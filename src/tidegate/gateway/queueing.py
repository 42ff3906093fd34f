"""Who waits for a target, in what order: a bounded line, and how fast it moves. Pure.

Classes go strictly one after another. Within a class tenants share by start-time fair queueing:
each tenant's tag is how much it has been served, and the lowest tag is next, so one who asks
little is never behind one who asks much. A full line makes room for a higher class, or for a
tenant with less in it, by giving up the newest of the lowest class.
"""

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from tidegate.core.priority import PRIORITIES

Tenant = tuple[str | None, str | None]  # team, customer
KeepAlive = Callable[[float, float], None]
Gone = Callable[[], Exception | None]

DRAIN_S = 10.0
HELD_SAMPLES = 20
KNOWN_ENDS = 5
SPARE = 64


class Waiter(Struct, eq=False):
    """One request in line. `work` is in any unit that is the same for all.

    It waits until `until_s` at most, which is its caller's deadline or ours; `turn` holds the time
    at which its turn came, or a Refusal. `keep_alive(now_s, every_s)` tells its client that it is
    not forgotten. The line writes `in_line`; `tried` says that it was let go to find out whether
    the target bears more. `gone()` says why its request does not want the place any more; None: it
    does.
    """

    rank: int
    tenant: Tenant
    work: float
    until_s: float
    by_caller: bool
    turn: asyncio.Future[float]
    streamed: bool = True
    keep_alive: KeepAlive | None = None
    gone: Gone | None = None
    in_line: bool = False
    tried: bool = False


class _Share(Struct, eq=False):
    """One tenant in one class. `tag` is how much it has been served, over its weight: that of
    its first waiter. `ranked` says that it is in its class's heap, by that tag."""

    weight: float
    serial: int
    tag: float = 0.0
    count: int = 0
    gone: int = 0
    ranked: bool = False
    waiters: deque[Waiter] = field(default_factory=deque)


class _Class:
    """The line of one priority class: each tenant's waiters in the order of their coming, and the
    tenants by their tags. Who leaves without a turn has cost its tenant nothing."""

    def __init__(self) -> None:
        self.count = 0
        self._at = 0.0  # the tag that was served last
        self._serial = 0
        self._shares: dict[Tenant, _Share] = {}
        self._heap: list[tuple[float, int, _Share]] = []

    def push(self, waiter: Waiter, weight: float) -> None:
        share = self._shares.get(waiter.tenant)
        if share is None:
            self._serial += 1
            share = self._shares[waiter.tenant] = _Share(weight, self._serial)
        waiter.in_line = True
        share.weight = weight
        share.count += 1
        share.waiters.append(waiter)
        self.count += 1
        if not share.ranked:
            share.tag = max(self._at, share.tag)
            self._rank(share)

    def pop(self) -> Waiter:
        """Takes out the next of the tenant with the lowest tag. Never of an empty class."""
        self._at, _, share = heapq.heappop(self._heap)
        while not share.count:
            share.ranked = False
            self._at, _, share = heapq.heappop(self._heap)
        share.ranked = False
        waiter = next(one for one in share.waiters if one.in_line)
        share.tag += waiter.work / share.weight
        if share.count > 1:
            self._rank(share)
        self.remove(waiter)
        return waiter

    def remove(self, waiter: Waiter) -> None:
        waiter.in_line = False
        share = self._shares[waiter.tenant]
        share.count -= 1
        share.gone += 1
        self.count -= 1
        while share.waiters and not share.waiters[0].in_line:
            share.waiters.popleft()
            share.gone -= 1
        if not self.count:
            self._at = 0.0
            self._shares.clear()
            self._heap.clear()
            return
        if share.gone > share.count + SPARE:
            share.waiters = deque(one for one in share.waiters if one.in_line)
            share.gone = 0
        if len(self._shares) > 2 * self.count + SPARE:
            # The memory of those who do not wait any more is bounded: it goes first.
            self._shares = {tenant: one for tenant, one in self._shares.items() if one.count}
            self._heap = [item for item in self._heap if item[2].count]
            heapq.heapify(self._heap)

    def give_up(self) -> Waiter:
        """Takes out the newest of the tenant that waits most for its weight. Never of an empty
        class."""
        share = max(self._shares.values(), key=lambda share: share.count / share.weight)
        waiter = next(one for one in reversed(share.waiters) if one.in_line)
        self.remove(waiter)
        return waiter

    def most(self) -> float:
        return max((share.count / share.weight for share in self._shares.values()), default=0.0)

    def waits(self, tenant: Tenant) -> int:
        share = self._shares.get(tenant)
        return 0 if share is None else share.count

    def ahead(self, tenant: Tenant) -> int:
        """How many would be served before one that `tenant` adds now."""
        mine = self._shares.get(tenant)
        place = (self._at, self._serial + 1)
        if mine is not None:
            place = (mine.tag if mine.ranked else max(self._at, mine.tag), mine.serial)
            for waiter in mine.waiters:
                if waiter.in_line:
                    place = (place[0] + waiter.work / mine.weight, mine.serial)
        return sum(
            share.count if share is mine else _before(share, place)
            for share in self._shares.values()
            if share.count
        )

    def waiters(self) -> list[Waiter]:
        return [one for share in self._shares.values() for one in share.waiters if one.in_line]

    def _rank(self, share: _Share) -> None:
        share.ranked = True
        heapq.heappush(self._heap, (share.tag, share.serial, share))


def _before(share: _Share, place: tuple[float, int]) -> int:
    """How many of a tenant's waiters go before a place in the order of tags."""
    tag, count = share.tag, 0
    for waiter in share.waiters:
        if (tag, share.serial) > place:
            break
        if waiter.in_line:
            tag += waiter.work / share.weight
            count += 1
    return count


class Line:
    """All that wait for one target, at most `most` of them; `count` is how many do."""

    def __init__(self, most: int, weight_of: Callable[[Tenant], float]) -> None:
        self.most = most
        self.weight_of = weight_of
        self.count = 0
        self._classes = tuple(_Class() for _ in PRIORITIES)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many wait, by rank."""
        return tuple(one.count for one in self._classes)

    def first_rank(self) -> int:
        """The class that is served next. Never of an empty line."""
        return next(rank for rank, one in enumerate(self._classes) if one.count)

    def push(self, waiter: Waiter) -> None:
        self._classes[waiter.rank].push(waiter, self.weight_of(waiter.tenant))
        self.count += 1

    def pop(self) -> Waiter:
        """Takes out the next one to serve. Never of an empty line."""
        self.count -= 1
        return self._classes[self.first_rank()].pop()

    def remove(self, waiter: Waiter) -> None:
        """Takes out one who waits no more, if it is in the line."""
        if waiter.in_line:
            self._classes[waiter.rank].remove(waiter)
            self.count -= 1

    def give_up(self, rank: int, tenant: Tenant) -> Waiter | None:
        """Takes out the one who makes room for a request of this class and tenant, if any must."""
        lowest = max((r for r, one in enumerate(self._classes) if one.count), default=-1)
        if lowest < rank:
            return None
        one = self._classes[lowest]
        if lowest == rank and (one.waits(tenant) + 1) / self.weight_of(tenant) >= one.most():
            return None
        self.count -= 1
        return one.give_up()

    def ahead(self, rank: int, tenant: Tenant) -> int:
        """How many would be served before one of this class and tenant, as things are."""
        higher = sum(one.count for one in self._classes[:rank])
        one = self._classes[rank]
        return higher + (one.ahead(tenant) if one.count else 0)

    def waiters(self, from_rank: int = 0) -> list[Waiter]:
        """Those of this class and lower ones, in no order."""
        return [waiter for one in self._classes[from_rank:] for waiter in one.waiters()]


class Drain:
    """How many places come free a second while somebody waits for them.

    When a line forms, the guess is Little's law: the limit over the mean time that a place is
    held. From there on it is what is seen. Without either it is None: nothing is known.
    """

    def __init__(self) -> None:
        self._held_s: float | None = None
        self._samples = 0
        self._rate: float | None = None
        self._at_s = 0.0
        self._ends = 0

    def begin(self, limit: int, now_s: float) -> None:
        """A line has formed where none was."""
        self._rate = None if not self._held_s else limit / self._held_s
        self._at_s = now_s
        self._ends = 0

    def held(self, held_s: float) -> None:
        """A place was given back that was held for so long."""
        self._samples = min(self._samples + 1, HELD_SAMPLES)
        before_s = self._held_s or 0.0
        self._held_s = before_s + (held_s - before_s) / self._samples

    def ended(self, now_s: float) -> None:
        """A place was given back while somebody waited."""
        self._ends += 1
        if self._rate is not None:
            self._rate = self._faded(now_s) + 1 / DRAIN_S
            self._at_s = now_s
        elif self._ends >= KNOWN_ENDS and now_s > self._at_s:
            self._rate = self._ends / (now_s - self._at_s)
            self._at_s = now_s

    def stood_still(self, for_s: float) -> None:
        """Nothing could be seen for so long, because nobody looked."""
        self._at_s += for_s

    def wait_s(self, ahead: int, now_s: float) -> float | None:
        """How long until one with `ahead` before it has its place; None when nobody can say."""
        rate = self._faded(now_s)
        return (ahead + 1) / rate if rate > 0 else None

    def _faded(self, now_s: float) -> float:
        if self._rate is None:
            return 0.0
        return self._rate * math.exp((self._at_s - now_s) / DRAIN_S)


def weights(declared: Mapping[str, float]) -> Callable[[Tenant], float]:
    """The weight of a tenant: written for `team/customer`, or for its team, or 1."""
    if not declared:
        return _alike

    def weight_of(tenant: Tenant) -> float:
        team, customer = tenant
        own = declared.get(f"{team}/{customer}") if customer is not None else None
        return own if own is not None else declared.get(team or "", 1.0)

    return weight_of


def _alike(tenant: Tenant) -> float:
    del tenant
    return 1.0
