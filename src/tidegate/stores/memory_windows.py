"""Windows in the memory of one gateway: rolling ones in bins, and periods of a calendar."""

from collections.abc import Iterable, Sequence
from math import ceil, inf
from typing import TypeVar

from tidegate.core.limit import Calendar, Moment, Reading, Rolling, Shape
from tidegate.core.periods import Period, period_at
from tidegate.stores._memory_parts import MASK, Parts

_Count = TypeVar("_Count", int, list[int])


class RollingCounters:
    """Rolling windows. A scope's list is [sum, bin, amount, bin, amount, ...], oldest bin first.

    A bin is named by its start in microseconds, and so is a ticket: a changed width lets stand
    those that are. A bin counts until the whole of it has left the window.

    By the wall clock means by what it said first, and from there on by the monotonic one: its steps
    neither free anything nor hold it up.
    """

    __slots__ = ("_ahead_s", "_allowed", "_doubted", "_first", "_kept", "_newest",
                 "_newest_until_s", "_oldest", "_parts", "_raised", "_span", "_wall",
                 "_width")  # fmt: skip

    def __init__(self, shape: Rolling) -> None:
        self._kept: Parts[list[int]] = Parts()
        self._parts = self._kept.parts
        self._doubted: set[str] = set()
        self._first: int | None = None
        self._ahead_s: float | None = None
        self._newest = self._oldest = self._span = self._width = 0
        self.reshape(shape)

    def take(self, scope: str, amount: int, now: Moment) -> int | None:
        now_s = self._steady_s(now) if self._wall else now.monotonic_s
        if now_s >= self._newest_until_s:
            self._slide(now_s)
        newest = self._newest
        part = self._parts[hash(scope) & MASK]
        try:
            bins = part[scope]
        except KeyError:
            if amount > self._allowed and amount > self._allowed_of(scope):
                return None
            part[scope] = [amount, newest, amount]
            return newest
        if bins[1] < self._oldest:
            _forget(bins, self._oldest)
        total = bins[0] + amount
        if total > self._allowed and amount and total > self._allowed_of(scope):
            return None
        bins[0] = total
        if bins[-2] == newest:
            bins[-1] += amount
        else:
            bins += (newest, amount)
        return newest

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        if used == held:
            return
        now_s = self._steady_s(now) if self._wall else now.monotonic_s
        if now_s >= self._newest_until_s:
            self._slide(now_s)
        if ticket < self._oldest:
            return
        part = self._parts[hash(scope) & MASK]
        try:
            bins = part[scope]
        except KeyError:
            bins = part[scope] = [0, ticket, 0]
        bins[0] += used - held
        if bins[-2] == ticket:
            bins[-1] += used - held
            return
        place = len(bins) - 2
        while place > 1 and bins[place] > ticket:
            place -= 2
        if bins[place] != ticket:
            place += 2 if bins[place] < ticket else 0
            bins[place:place] = (ticket, 0)
        bins[place + 1] += used - held

    def read(self, scope: str, amount: int, now: Moment) -> Reading:
        now_s = self._now_s(now)
        allowed = self._allowed_of(scope)
        bins = self._parts[hash(scope) & MASK].get(scope, [0, self._newest, 0])
        _forget(bins, self._oldest)
        used = left = bins[0]
        reset_s = 0.0
        retry_s = 0.0 if used + amount <= allowed or not amount else None
        for place in range(1, len(bins), 2):
            if left <= 0:
                break
            left -= bins[place + 1]
            # Until the bin has left the window, and a microsecond over.
            reset_s = (bins[place] + self._span + self._width + 1) / 1e6 - now_s
            if retry_s is None and left + amount <= allowed:
                retry_s = reset_s
        return Reading(used, allowed, reset_s, retry_s)

    def left(self, scope: str, now_s: float) -> float:
        """What could be taken now, for an answer's headers; of windows by the monotonic clock."""
        if now_s >= self._newest_until_s:
            self._slide(now_s)
        bins = self._parts[hash(scope) & MASK].get(scope)
        if bins is None:
            return self._allowed
        _forget(bins, self._oldest)
        return self._allowed - bins[0]

    def knows(self, scope: str, now: Moment) -> bool:
        self._now_s(now)
        if self._first is None:
            self._first = self._newest
        if scope in self._parts[hash(scope) & MASK]:
            return True
        return self._first < self._oldest and scope not in self._doubted

    def doubt(self, scope: str, stale: bool) -> None:
        _doubt(self._parts, self._doubted, scope, stale)

    def seed(self, scope: str, past: Iterable[tuple[float, int]], now: Moment) -> None:
        if self.knows(scope, now):
            return
        # A wall clock that was set back dates too early, and one set forward later than now: what
        # it dates may count too long, and never too short.
        behind_s = max(self._now_s(now) - now.wall_s, 0.0) if self._wall else 0.0
        sums = {self._newest: 0}
        for at_s, amount in past:
            place = int((at_s + behind_s) * 1e6) // self._width * self._width
            place = min(place, self._newest)
            sums[place] = sums.get(place, 0) + amount
        bins = [sum(sums.values())]
        for place in sorted(sums):
            bins += (place, sums[place])
        self._parts[hash(scope) & MASK][scope] = bins
        self._doubted.discard(scope)

    def reshape(self, shape: Shape) -> None:
        if not isinstance(shape, Rolling):
            raise TypeError(f"rolling windows cannot become {shape!r}")
        self._allowed, self._wall, self._raised = shape.allowed, shape.wall, shape.raised
        self._width = ceil(shape.window_s * 1e6 / shape.bins)
        self._span = self._width * shape.bins
        self._newest_until_s = -inf

    def sweep(self, now: Moment) -> None:
        self._now_s(now)
        oldest = self._oldest
        self._kept.sweep(lambda bins: bins[-2] >= oldest)

    def __len__(self) -> int:
        return len(self._kept)

    def _allowed_of(self, scope: str) -> int:
        return self._raised.get(scope, self._allowed)

    def _now_s(self, now: Moment) -> float:
        now_s = self._steady_s(now) if self._wall else now.monotonic_s
        if now_s >= self._newest_until_s:
            self._slide(now_s)
        return now_s

    def _slide(self, now_s: float) -> None:
        """Begins the bin that holds `now_s`; never one before the newest."""
        newest = int(now_s * 1e6) // self._width * self._width
        self._newest = max(newest, self._newest)
        self._newest_until_s = (self._newest + self._width) / 1e6
        self._oldest = self._newest - self._span

    def _steady_s(self, now: Moment) -> float:
        ahead_s = self._ahead_s
        if ahead_s is None:
            ahead_s = self._ahead_s = now.wall_s - now.monotonic_s
        return now.monotonic_s + ahead_s


def _forget(bins: list[int], oldest: int) -> None:
    """Drops the bins before `oldest`; of the last one only what it counts."""
    end = 1
    while end < len(bins) - 2 and bins[end] < oldest:
        bins[0] -= bins[end + 1]
        end += 2
    del bins[1:end]
    if bins[1] < oldest:
        bins[0] -= bins[2]
        bins[2] = 0


class CalendarCounters:
    """Periods of a calendar. A ticket is the start of the period it was taken in.

    A period begins when the wall clock first passes the end of the last, and for all scopes at
    once: a clock that steps back stays in the period that it had reached.
    """

    __slots__ = ("_allowed", "_doubted", "_ended", "_kept", "_parts", "_period", "_shape", "_whole")

    def __init__(self, shape: Calendar) -> None:
        self._kept: Parts[int] = Parts()
        self._parts = self._kept.parts
        self._doubted: set[str] = set()
        self._ended: list[Parts[int]] = []
        self._period: Period | None = None
        self._whole = False  # whether the period began under our eyes
        self._shape, self._allowed = shape, shape.allowed

    def take(self, scope: str, amount: int, now: Moment) -> int | None:
        period = self._period
        if period is None or now.wall_s >= period.end_s:
            period = self._turn(now)
        part = self._parts[hash(scope) & MASK]
        try:
            used = part[scope] + amount
        except KeyError:
            used = amount
        if used > self._allowed and amount and used > self._allowed_of(scope):
            return None
        part[scope] = used
        return period.start_s

    def give_back(self, scope: str, ticket: int, held: int, used: int, now: Moment) -> None:
        if used == held:
            return
        period = self._period
        if period is None or now.wall_s >= period.end_s:
            period = self._turn(now)
        if ticket == period.start_s:
            part = self._parts[hash(scope) & MASK]
            part[scope] = part.get(scope, 0) + used - held

    def read(self, scope: str, amount: int, now: Moment) -> Reading:
        end_s = self._now(now).end_s
        used, allowed = self._parts[hash(scope) & MASK].get(scope, 0), self._allowed_of(scope)
        until_s = end_s - now.wall_s
        retry_s: float | None = None
        if not amount or used + amount <= allowed:
            retry_s = 0.0
        elif amount <= allowed:
            retry_s = until_s
        return Reading(used, allowed, until_s if used else 0.0, retry_s)

    def knows(self, scope: str, now: Moment) -> bool:
        self._now(now)
        if scope in self._parts[hash(scope) & MASK]:
            return True
        return self._whole and scope not in self._doubted

    def doubt(self, scope: str, stale: bool) -> None:
        _doubt(self._parts, self._doubted, scope, stale)

    def seed(self, scope: str, past: Iterable[tuple[float, int]], now: Moment) -> None:
        if not self.knows(scope, now):
            start_s = self._now(now).start_s
            used = sum(amount for at_s, amount in past if at_s >= start_s)
            self._parts[hash(scope) & MASK][scope] = used
            self._doubted.discard(scope)

    def reshape(self, shape: Shape) -> None:
        if not isinstance(shape, Calendar):
            raise TypeError(f"periods cannot become {shape!r}")
        other = (shape.unit, shape.time_zone) != (self._shape.unit, self._shape.time_zone)
        self._shape, self._allowed = shape, shape.allowed
        if other:
            self._clear()
            self._period, self._whole = None, False

    def sweep(self, now: Moment) -> None:
        """A period's counts stand until it ends; those of ended periods go part by part."""
        self._now(now)
        while self._ended and not self._ended[-1].drop():
            self._ended.pop()

    def __len__(self) -> int:
        return len(self._kept) + sum(map(len, self._ended))

    def _allowed_of(self, scope: str) -> int:
        return self._shape.raised.get(scope, self._allowed)

    def _now(self, now: Moment) -> Period:
        period = self._period
        if period is None or now.wall_s >= period.end_s:
            return self._turn(now)
        return period

    def _turn(self, now: Moment) -> Period:
        if self._period is not None:
            self._clear()
            self._whole = True
        self._period = period_at(self._shape.unit, self._shape.time_zone, now.wall_s)
        return self._period

    def _clear(self) -> None:
        self._ended.append(self._kept)
        self._kept = Parts()
        self._parts = self._kept.parts


def _doubt(parts: Sequence[dict[str, _Count]], doubted: set[str], scope: str, stale: bool) -> None:
    """What was counted of a scope elsewhere is not known here, though all else is: a `stale` count
    goes, another stands."""
    part = parts[hash(scope) & MASK]
    if stale:
        part.pop(scope, None)
    if scope not in part:
        doubted.add(scope)
