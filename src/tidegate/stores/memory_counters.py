"""Counters in the memory of one gateway: one class a shape, no operation that waits."""

from math import ceil, inf
from typing import Final

from tidegate.core.limit import (
    GAUGE_RETRY_S,
    Bucket,
    Calendar,
    Counters,
    Gauge,
    Moment,
    Reading,
    Rolling,
    Shape,
)
from tidegate.stores._memory_parts import MASK, Parts
from tidegate.stores.memory_windows import CalendarCounters, RollingCounters

# Binary fractions must not refuse the last whole unit: this much of one is let pass.
_SLACK: Final = 1e-3
_EXPIRED_AT_ONCE: Final = 1_000


def memory_counters(shape: Shape) -> Counters:
    """Fresh counters of this shape."""
    match shape:
        case Bucket():
            return BucketCounters(shape)
        case Rolling():
            return RollingCounters(shape)
        case Calendar():
            return CalendarCounters(shape)
        case Gauge():
            return GaugeCounters(shape)


class BucketCounters:
    """Token buckets as a generic cell rate algorithm, one number a scope.

    `poured` is what has run into every bucket so far. A scope's number is how much will have been
    poured when its bucket is full again, so that `number - poured` is used. Taking raises it; a
    full bucket needs none. A ticket says nothing: what is given back runs in now.
    """

    __slots__ = ("_burst", "_full", "_last_s", "_most", "_parts", "_poured", "_rate_per_s",
                 "_since_s")  # fmt: skip

    def __init__(self, shape: Bucket) -> None:
        self._full: Parts[float] = Parts()
        self._parts = self._full.parts
        self._poured = self._since_s = self._last_s = 0.0
        self._rate_per_s = shape.rate_per_s
        self._burst = shape.burst
        self._most = shape.burst + _SLACK

    def take(self, scope: str, amount: int, now: Moment) -> int | None:
        self._last_s = now_s = now.monotonic_s
        poured = self._poured + (now_s - self._since_s) * self._rate_per_s
        part = self._parts[hash(scope) & MASK]
        try:
            full = part[scope]
        except KeyError:
            full = poured
        if full < poured:  # noqa: PLR1730 - max() would cost a quarter of all this
            full = poured
        full += amount
        if full - poured > self._most and amount:
            return None
        part[scope] = full
        return 0

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        if used == held:
            return
        part = self._parts[hash(scope) & MASK]
        if used < held:
            try:
                part[scope] -= held - used
            except KeyError:
                return  # a full bucket stays full
            return
        poured = self._pour(now)
        part[scope] = max(part.get(scope, poured), poured) + (used - held)

    def read(self, scope: str, amount: int, now: Moment) -> Reading:
        poured = self._pour(now)
        used = max(0.0, self._parts[hash(scope) & MASK].get(scope, poured) - poured)
        retry_s = None
        if amount <= self._burst or not amount:
            over = used + amount - self._burst if amount else 0.0
            retry_s = over / self._rate_per_s if over > _SLACK else 0.0
        whole = ceil(max(0.0, used - _SLACK))
        return Reading(whole, self._burst, used / self._rate_per_s, retry_s)

    def left(self, scope: str, now_s: float) -> float:
        """What could be taken at `now_s` of the monotonic clock, for an answer's headers."""
        poured = self._poured + (now_s - self._since_s) * self._rate_per_s
        used = self._parts[hash(scope) & MASK].get(scope, poured) - poured
        return self._burst - used if used > 0 else self._burst

    def reshape(self, shape: Shape) -> None:
        if not isinstance(shape, Bucket):
            raise TypeError(f"buckets cannot become {shape!r}")
        self._poured += (self._last_s - self._since_s) * self._rate_per_s
        self._since_s = self._last_s
        self._rate_per_s = shape.rate_per_s
        self._burst = shape.burst
        self._most = shape.burst + _SLACK

    def hand_over(self, scope: str, to: Counters, now: Moment) -> None:
        """What is used in this scope is used in those other buckets from now on. What is given
        back of it later is lost."""
        if not isinstance(to, BucketCounters):
            raise TypeError(f"buckets cannot be handed over to {to!r}")
        poured, theirs = self._pour(now), to._pour(now)
        used = self._parts[hash(scope) & MASK].pop(scope, poured) - poured
        if used > 0:
            part = to._parts[hash(scope) & MASK]
            part[scope] = max(part.get(scope, theirs), theirs) + used

    def sweep(self, now: Moment) -> None:
        self._full.sweep(self._pour(now).__lt__)

    def __len__(self) -> int:
        return len(self._full)

    def _pour(self, now: Moment) -> float:
        self._last_s = now.monotonic_s
        return self._poured + (now.monotonic_s - self._since_s) * self._rate_per_s


class GaugeCounters:
    """What is held at this moment. A ticket is a serial number: the oldest lease is the first."""

    __slots__ = ("_allowed", "_due_s", "_held", "_last", "_lease_s", "_leases", "_moved")

    def __init__(self, shape: Gauge) -> None:
        self._held: dict[str, int] = {}
        self._leases: dict[int, tuple[str, int, float]] = {}  # scope, amount, taken at
        self._moved: dict[int, tuple[GaugeCounters, int]] = {}  # to whom, and its ticket there
        self._last = 0
        self._due_s = inf  # no lease ends before
        self._allowed = shape.allowed
        self._lease_s = shape.lease_s

    def take(self, scope: str, amount: int, now: Moment) -> int | None:
        now_s = now.monotonic_s
        if now_s >= self._due_s:
            self._expire(now_s)
        held = self._held.get(scope, 0) + amount
        if held > self._allowed and amount:
            return None
        self._held[scope] = held
        leases = self._leases
        if not leases:
            self._due_s = now_s + self._lease_s
        self._last = ticket = self._last + 1
        leases[ticket] = scope, amount, now_s
        return ticket

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        """All of it, whatever was `used`; nothing when its lease has ended."""
        if self._leases.pop(ticket, None) is not None:
            self._release(scope, held)
        elif (moved := self._moved.pop(ticket, None)) is not None:
            other, theirs = moved
            other.give_back(scope, theirs, held, used, now)

    def read(self, scope: str, amount: int, now: Moment) -> Reading:
        self._expire(now.monotonic_s)
        held = self._held.get(scope, 0)
        retry_s = None
        if not amount or held + amount <= self._allowed:
            retry_s = 0.0
        elif amount <= self._allowed:
            retry_s = GAUGE_RETRY_S
        return Reading(held, self._allowed, None if held else 0.0, retry_s)

    def reshape(self, shape: Shape) -> None:
        if not isinstance(shape, Gauge):
            raise TypeError(f"gauges cannot become {shape!r}")
        self._allowed = shape.allowed
        self._lease_s = shape.lease_s
        self._due_s = -inf

    def hand_over(self, scope: str, to: Counters, now: Moment) -> None:
        """What is held in this scope is held by that other gauge from now on, with new leases, also
        where it allows less. Its tickets go on being given back here."""
        if not isinstance(to, GaugeCounters):
            raise TypeError(f"gauges cannot be handed over to {to!r}")
        held = [(ticket, it[1]) for ticket, it in self._leases.items() if it[0] == scope]
        for ticket, amount in held:
            del self._leases[ticket]
            self._release(scope, amount)
            self._moved[ticket] = to, to.hold(scope, amount, now)

    def hold(self, scope: str, amount: int, now: Moment) -> int:
        """The ticket of what is there already, also where it is more than is allowed."""
        ticket = self.take(scope, 0, now)
        assert ticket is not None  # noqa: S101 - nothing always fits
        self._held[scope] += amount
        self._leases[ticket] = scope, amount, now.monotonic_s
        return ticket

    def sweep(self, now: Moment) -> None:
        self._expire(now.monotonic_s)

    def __len__(self) -> int:
        return len(self._held)

    def _expire(self, now_s: float) -> None:
        """Ends the leases that are over, of which a loop's turn sees a bounded number."""
        for _ in range(_EXPIRED_AT_ONCE):
            if not self._leases:
                self._due_s = inf
                return
            ticket = next(iter(self._leases))
            scope, amount, taken_s = self._leases[ticket]
            self._due_s = taken_s + self._lease_s
            if now_s < self._due_s:
                return
            del self._leases[ticket]
            self._release(scope, amount)

    def _release(self, scope: str, amount: int) -> None:
        left = self._held.get(scope, 0) - amount
        if left:
            self._held[scope] = left
        else:
            self._held.pop(scope, None)
