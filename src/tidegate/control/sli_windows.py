"""Requests of each objective over its windows, kept up with the minutes that have changed.

A window ends now and begins with a whole minute, or from a day on with a whole hour, so that it is
shorter than asked for by less than that. A minute takes the place of what was said of it before.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping
from math import ceil, inf
from typing import Final, cast

from msgspec import Struct

from tidegate.core.block import Tally
from tidegate.core.objective import Indicator, Objective, RouteObjectives
from tidegate.stats.burn import DAY_S, HOUR_S, windows_s
from tidegate.stats.histogram import count_upto
from tidegate.stores.signals import Minute, News

MINUTE_S: Final = 60.0
# Windows up to this are of minutes, longer ones of hours.
_BY_MINUTE_S: Final = 6 * HOUR_S
# What was said of a minute is remembered so long; it changes later only after a recorder was away.
_REMEMBERED_S: Final = 3 * HOUR_S
_CANARY: Final = "canary"
_SHADOW: Final = "shadow"  # nobody was answered by a copy

# Minutes that have changed since a number; hours or days (`span_s`) from a time to another.
MinutesAfter = Callable[[int, float], News]
Spans = Callable[[int, float, float], list[Minute]]


class Source(Struct, frozen=True):
    """What is stored, in one transaction."""

    minutes_after: MinutesAfter
    spans: Spans


class Ring:
    """Requests in steps of time, as sums up to the end of each, so that a window is a difference.
    Time that goes back counts into the newest step."""

    __slots__ = ("_bad", "_judged", "_newest", "_size", "step_s")

    def __init__(self, step_s: float, span_s: float) -> None:
        self.step_s = step_s
        self._size = ceil(span_s / step_s) + 1
        self._judged = array("q", bytes(8 * self._size))
        self._bad = array("q", bytes(8 * self._size))
        self._newest = 0

    def add(self, at_s: float, judged: int, bad: int) -> None:
        """Counts of a step; one that has left the ring is forgotten."""
        step = int(at_s // self.step_s)
        self.advance(at_s)
        for one in range(step, self._newest + 1) if step > self._newest - self._size else ():
            self._judged[one % self._size] += judged
            self._bad[one % self._size] += bad

    def advance(self, now_s: float) -> None:
        """Time passes without requests."""
        step, newest = int(now_s // self.step_s), self._newest
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
        self._newest = step

    def _fill(self, step: int) -> None:
        """Nothing has come for longer than the ring knows."""
        last = self._newest % self._size
        judged, bad = self._judged[last], self._bad[last]
        self._judged = array("q", [judged]) * self._size
        self._bad = array("q", [bad]) * self._size
        self._newest = step

    def tally(self, window_s: float) -> Tally:
        """Of the window that ends now; call `advance` before."""
        size, newest = self._size, self._newest
        steps = int(-(-window_s // self.step_s))
        first = (newest - (steps if steps < size else size - 1)) % size
        last = newest % size
        return Tally(self._judged[last] - self._judged[first], self._bad[last] - self._bad[first])


class _Kept:
    """One objective: its minutes, its hours, and the minutes of a release's candidate. `first_s` is
    when the first request was judged by it."""

    __slots__ = ("_canary", "first_s", "hours", "minutes", "objective")

    def __init__(self, objective: Objective, period_s: float) -> None:
        self.objective = objective
        self.first_s = inf
        self.minutes = Ring(MINUTE_S, _BY_MINUTE_S)
        self.hours = Ring(HOUR_S, period_s)
        self._canary: Ring | None = None

    def add(self, at_s: float, judged: int, bad: int, *, canary: bool) -> None:
        if judged:
            self.first_s = min(self.first_s, at_s)
        self.minutes.add(at_s, judged, bad)
        self.hours.add(at_s, judged, bad)
        if canary:
            if self._canary is None:
                self._canary = Ring(MINUTE_S, HOUR_S)
            self._canary.add(at_s, judged, bad)

    def counts(self, windows: Iterable[float], now_s: float) -> dict[int, Tally]:
        minutes, hours = self.minutes, self.hours
        minutes.advance(now_s)
        hours.advance(now_s)
        return {
            int(window_s): (minutes if window_s <= _BY_MINUTE_S else hours).tally(window_s)
            for window_s in windows
        }

    def known_s(self, now_s: float) -> float | None:
        """For how long it has been counted, where that may be for less long than its route: turns
        of the time before nobody has judged."""
        return max(now_s - self.first_s, 0.0) if self.objective.per_output_token_s else None

    def canary(self, window_s: float, now_s: float) -> Tally | None:
        if self._canary is None:
            return None
        self._canary.advance(now_s)
        found = self._canary.tally(window_s)
        return found if found.judged else None


class Windowed(Struct, frozen=True):
    """One objective's requests by the seconds of the window. `canary` are those of a candidate in
    the fastest tier's long window, None where it had none. `known_s` is for how long it has been
    counted, None for as long as its route."""

    objective: Objective
    counts: dict[int, Tally]
    canary: Tally | None
    known_s: float | None = None


class SliWindows:
    """Every declared objective's windows. Not safe between threads.

    `totals` are requests of each objective since this process began to look, as counters have them.
    """

    def __init__(self) -> None:
        self.totals: dict[tuple[str, Indicator], Tally] = {}
        self._declared: dict[str, RouteObjectives] = {}
        self._kept: dict[str, dict[Indicator, _Kept]] = {}
        self._windows: dict[str, tuple[float, ...]] = {}
        self._said: dict[tuple[int, str, str], dict[Indicator, tuple[int, int]]] = {}
        self._first_s: dict[str, float] = {}
        self._since = 0
        self._begun_s = -inf
        self._now_s = -inf
        self._behind = False

    def keep_up(self, source: Source, declared: tuple[RouteObjectives, ...], now_s: float) -> None:
        """Take in what is new. Everything is read anew where other objectives are declared, where
        time went back, and once a minute while what changes is older than is remembered."""
        by_route = {one.route: one for one in declared}
        back = now_s < self._now_s - HOUR_S
        due = self._behind and now_s >= self._begun_s + MINUTE_S
        self._now_s = now_s
        if by_route != self._declared or back or due:
            try:
                self._begin(source, by_route, now_s)
            except BaseException:
                self._declared = {}  # of what was read no part will do
                raise
        else:
            self._take(source, 0.0, now_s - _REMEMBERED_S)
        for slot in [it for it in self._said if it[0] < now_s - _REMEMBERED_S]:
            del self._said[slot]

    def of(self, route: str, now_s: float) -> tuple[Windowed, ...]:
        """The route's objectives."""
        windows = self._windows.get(route, ())
        return tuple(
            Windowed(
                one.objective,
                one.counts(windows, now_s),
                one.canary(HOUR_S, now_s),
                one.known_s(now_s),
            )
            for one in self._kept.get(route, {}).values()
        )

    def known_s(self, route: str, now_s: float) -> float:
        """For how long its requests have been counted."""
        return max(now_s - self._first_s.get(route, now_s), 0.0)

    def _begin(self, source: Source, declared: dict[str, RouteObjectives], now_s: float) -> None:
        """From what is stored: days, then hours, then minutes."""
        self._declared, self._since, self._behind = declared, 0, False
        self._begun_s = now_s
        self._said.clear()
        self._first_s.clear()
        self._kept = {
            route: {it.sli: _Kept(it, one.budget.period_s) for it in one.objectives}
            for route, one in declared.items()
        }
        told = {(route, sli) for route, of_route in self._kept.items() for sli in of_route}
        self.totals = {it: self.totals.get(it) or Tally() for it in sorted(told)}
        self._windows = {route: windows_s(one.budget.period_s) for route, one in declared.items()}
        if not declared:
            return
        period_s = max(one.budget.period_s for one in declared.values())
        hours_s = _whole(now_s - 3 * DAY_S, DAY_S)
        minutes_s = _whole(now_s - _BY_MINUTE_S, HOUR_S)
        for span_s, from_s, until_s in (
            (DAY_S, _whole(now_s - period_s, DAY_S) + DAY_S, hours_s),
            (HOUR_S, hours_s, minutes_s),
        ):
            for span in source.spans(int(span_s), from_s, until_s):
                self._add(span, span_s)
        self._take(source, minutes_s, minutes_s)

    def _take(self, source: Source, from_s: float, least_s: float) -> None:
        """Minutes that have changed. Of one before `least_s` it is not known what was said."""
        news = source.minutes_after(self._since, from_s)
        self._since = news.since
        for minute in news.minutes:
            if minute.minute_s < least_s:
                self._behind = self._behind or minute.route in self._kept
            else:
                self._add(minute, MINUTE_S, is_news=from_s == 0.0)

    def _add(self, span: Minute, span_s: float, *, is_news: bool = False) -> None:
        kept = self._kept.get(span.route)
        if kept is None or span.arm == _SHADOW:
            return
        first_s = self._first_s.get(span.route, span.minute_s)
        self._first_s[span.route] = min(first_s, span.minute_s)
        if self._is_maintained(span, span_s):
            return
        slot = (span.minute_s, span.route, span.arm)
        by_minute = span_s == MINUTE_S
        before = self._said.get(slot, {}) if by_minute else {}
        said = {}
        for sli, one in kept.items():
            judged, bad = said[sli] = counted(span, one.objective)
            was_judged, was_bad = before.get(sli, (0, 0))
            if (judged, bad) != (was_judged, was_bad):
                canary = by_minute and span.arm == _CANARY
                one.add(span.minute_s, judged - was_judged, bad - was_bad, canary=canary)
                if is_news:
                    total = self.totals[span.route, sli]
                    total.judged += max(judged - was_judged, 0)
                    total.bad += max(bad - was_bad, 0)
        if by_minute:
            self._said[slot] = said

    def _is_maintained(self, span: Minute, span_s: float) -> bool:
        """Whether it touches a maintenance: of hours and days that were stored, the whole."""
        return any(
            it.from_s < span.minute_s + span_s and span.minute_s < it.until_s
            for it in self._declared[span.route].budget.maintenance
        )


def counted(span: Minute, objective: Objective) -> tuple[int, int]:
    """Requests that were judged by the objective, and how many of them were bad."""
    if objective.per_output_token_s:
        bad = span.counts.get("turn_time_bad", 0)
        return span.counts.get("turn_time_good", 0) + bad, bad
    if objective.within_s is not None:
        latencies = cast("Mapping[str, Mapping[int, int]]", span.latencies)
        histogram = latencies.get(objective.sli, {})
        judged = sum(histogram.values())
        return judged, judged - round(count_upto(histogram, objective.within_s))
    slis = cast("Mapping[str, tuple[int, int]]", span.slis)
    good, bad = slis.get(objective.sli, (0, 0))
    return good + bad, bad


def _whole(at_s: float, step_s: float) -> float:
    return at_s // step_s * step_s
