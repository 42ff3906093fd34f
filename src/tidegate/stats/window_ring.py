"""Requests in windows of time that end now: sums by steps of time, of which a window is two."""

from array import array
from collections.abc import Iterable
from math import ceil

from tidegate.core.block import Tally


class Ring:
    """Requests in steps of time, as sums up to the end of each, so that a window is a difference.
    Time that goes back counts into the newest step."""

    __slots__ = ("_bad", "_judged", "_size", "newest", "step_s")

    def __init__(self, step_s: float, span_s: float) -> None:
        self.step_s = step_s
        self._size = ceil(span_s / step_s) + 1
        self._judged = array("q", bytes(8 * self._size))
        self._bad = array("q", bytes(8 * self._size))
        self.newest = 0

    def add(self, at_s: float, judged: int, bad: int) -> bool:
        """Counts of a step; one that has left the ring is forgotten. Whether it is the newest."""
        step = int(at_s // self.step_s)
        if step > self.newest:
            self.advance(at_s)
        size = self._size
        for one in range(step, self.newest + 1) if step > self.newest - size else ():
            self._judged[one % size] += judged
            self._bad[one % size] += bad
        return step == self.newest

    def advance(self, now_s: float) -> None:
        """Time passes without requests."""
        step, newest = int(now_s // self.step_s), self.newest
        if step <= newest:
            return
        if not newest or step - newest >= self._size:
            self._fill(step)
            return
        judged, bad = self._judged, self._bad
        last = newest % self._size
        for one in range(newest + 1, step + 1):
            judged[one % self._size] = judged[last]
            bad[one % self._size] = bad[last]
        self.newest = step

    def _fill(self, step: int) -> None:
        """Nothing has come for longer than the ring knows."""
        last = self.newest % self._size
        judged, bad = self._judged[last], self._bad[last]
        self._judged = array("q", [judged]) * self._size
        self._bad = array("q", [bad]) * self._size
        self.newest = step

    def tally(self, window_s: float) -> Tally:
        """Of the window that ends now; call `advance` before."""
        judged, bad = self.before(window_s)
        last = self.newest % self._size
        return Tally(self._judged[last] - judged, self._bad[last] - bad)

    def before(self, window_s: float) -> tuple[int, int]:
        """The sums before that window, judged and bad."""
        size = self._size
        steps = int(-(-window_s // self.step_s))
        first = (self.newest - (steps if steps < size else size - 1)) % size
        return self._judged[first], self._bad[first]

    def upto_now(self) -> tuple[int, int]:
        """All sums, judged and bad."""
        last = self.newest % self._size
        return self._judged[last], self._bad[last]


class Windows:
    """Windows of a ring that end now. Where each begins is looked up again when a step has passed,
    or when something was added to an earlier one."""

    __slots__ = ("_before", "_ring", "_step", "_windows")

    def __init__(self, ring: Ring, windows: Iterable[float]) -> None:
        self._ring = ring
        self._windows = tuple(windows)
        self._before: list[tuple[int, int, int]] = []
        self._step = -1

    def add(self, at_s: float, judged: int, bad: int) -> None:
        if not self._ring.add(at_s, judged, bad):
            self._step = -1

    def advance(self, now_s: float) -> bool:
        """Whether they begin elsewhere now."""
        ring = self._ring
        ring.advance(now_s)
        if self._step == ring.newest:
            return False
        self._step = ring.newest
        self._before = [(int(window_s), *ring.before(window_s)) for window_s in self._windows]
        return True

    def count(self, into: dict[int, Tally]) -> None:
        judged, bad = self._ring.upto_now()
        for window_s, judged_before, bad_before in self._before:
            into[window_s] = Tally(judged - judged_before, bad - bad_before)
