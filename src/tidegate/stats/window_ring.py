"""Requests in windows of time that end now: sums by steps of time, of which a window is two."""

from array import array
from collections.abc import Iterable
from math import ceil, inf

from tidegate.core.block import Tally


class Ring:
    """Requests in steps of time, as sums up to the end of each, so that a window is a difference.
    `judged` and `bad` are the sums up to now; those of earlier steps lie in the ring. Time that
    goes back counts into the newest step, which ends at `until_s`."""

    __slots__ = ("_bad", "_judged", "_newest", "_size", "bad", "judged", "step_s", "until_s")

    def __init__(self, step_s: float, span_s: float) -> None:
        self.step_s = step_s
        self.judged = self.bad = 0
        self.until_s = -inf
        self._size = ceil(span_s / step_s) + 1
        self._judged = array("q", bytes(8 * self._size))
        self._bad = array("q", bytes(8 * self._size))
        self._newest = 0

    def add(self, at_s: float, judged: int, bad: int) -> bool:
        """Counts of a step; one that has left the ring is forgotten. Whether it is the newest."""
        step, size = int(at_s // self.step_s), self._size
        if step > self._newest:
            self.advance(at_s)
        newest = self._newest
        if step <= newest - size:
            return True
        self.judged += judged
        self.bad += bad
        for one in range(step, newest):
            self._judged[one % size] += judged
            self._bad[one % size] += bad
        return step == newest

    def advance(self, now_s: float) -> None:
        """Time passes without requests."""
        if now_s < self.until_s:
            return
        step, newest, size = int(now_s // self.step_s), self._newest, self._size
        if not newest or step - newest >= size:  # nothing has come for longer than it knows
            self._judged = array("q", [self.judged]) * size
            self._bad = array("q", [self.bad]) * size
        for one in range(newest, step) if newest and step - newest < size else ():
            self._judged[one % size] = self.judged
            self._bad[one % size] = self.bad
        self._newest = step
        self.until_s = (step + 1) * self.step_s

    def tally(self, window_s: float) -> Tally:
        """Of the window that ends now; call `advance` before."""
        judged, bad = self.before(window_s)
        return Tally(self.judged - judged, self.bad - bad)

    def before(self, window_s: float) -> tuple[int, int]:
        """The sums before that window, judged and bad."""
        steps, size = int(-(-window_s // self.step_s)), self._size
        first = (self._newest - (steps if steps < size else size - 1)) % size
        return self._judged[first], self._bad[first]


class Windows:
    """Windows of a ring that end now. Where each begins is looked up again when a step has passed,
    or when something was added to another one than this: from `until_s` on."""

    __slots__ = ("_before", "_ring", "_windows", "until_s")

    def __init__(self, ring: Ring, windows: Iterable[float]) -> None:
        self._ring = ring
        self._windows = tuple(windows)
        self._before: list[tuple[int, int, int]] = []
        self.until_s = -inf

    def add(self, at_s: float, judged: int, bad: int) -> None:
        ring, until_s = self._ring, self.until_s
        if until_s == ring.until_s and until_s - ring.step_s <= at_s < until_s:
            ring.judged += judged  # most of all that comes is of the newest step
            ring.bad += bad
        elif not ring.add(at_s, judged, bad) or ring.until_s != until_s:
            self.until_s = -inf

    def count(self, now_s: float, into: dict[int, Tally]) -> None:
        """Requests by the seconds of the window."""
        ring = self._ring
        if now_s >= self.until_s:
            ring.advance(now_s)
            self._before = [(int(window_s), *ring.before(window_s)) for window_s in self._windows]
            self.until_s = ring.until_s
        judged, bad = ring.judged, ring.bad
        for window_s, judged_before, bad_before in self._before:
            into[window_s] = Tally(judged - judged_before, bad - bad_before)
