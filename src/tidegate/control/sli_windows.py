"""Requests of each objective over its windows, kept up with the minutes that have changed.

A window ends now and begins with a whole minute, or from a day on with a whole hour, so that it is
shorter than asked for by less than that. A minute takes the place of what was said of it before.
"""

from collections.abc import Callable
from math import inf
from typing import Final, cast

from msgspec import Struct

from tidegate.core.block import Tally
from tidegate.core.objective import Indicator, Objective, RouteObjectives
from tidegate.core.sli import LatencySli, Sli
from tidegate.stats.burn import DAY_S, HOUR_S, windows_s
from tidegate.stats.window_ring import Ring, Windows
from tidegate.stores.signal_rows import counted_upto
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


class _Kept:
    """One objective: its windows of minutes and of hours, and a release's candidate's. `first_s` is
    when the first request was judged by it."""

    __slots__ = ("_canary", "_counts", "_hours", "_minutes", "first_s", "objective")

    def __init__(self, objective: Objective, period_s: float) -> None:
        self.objective = objective
        self.first_s = inf
        windows = windows_s(period_s)
        by_minute = [it for it in windows if it <= _BY_MINUTE_S]
        by_hour = [it for it in windows if it > _BY_MINUTE_S]
        self._minutes = Windows(Ring(MINUTE_S, _BY_MINUTE_S), by_minute)
        self._hours = Windows(Ring(HOUR_S, period_s), by_hour)
        self._canary: Ring | None = None
        self._counts: dict[int, Tally] = {}

    def add(self, at_s: float, judged: int, bad: int, *, canary: bool) -> None:
        if judged and at_s < self.first_s:
            self.first_s = at_s
        self._counts = {}
        self._minutes.add(at_s, judged, bad)
        self._hours.add(at_s, judged, bad)
        if canary:
            if self._canary is None:
                self._canary = Ring(MINUTE_S, HOUR_S)
            self._canary.add(at_s, judged, bad)

    def counts(self, now_s: float) -> dict[int, Tally]:
        """By the seconds of the window; the same mapping as long as they are the same."""
        minutes, hours = self._minutes, self._hours
        if now_s >= minutes.until_s or now_s >= hours.until_s or not self._counts:
            self._counts = {}
            minutes.count(now_s, self._counts)
            hours.count(now_s, self._counts)
        return self._counts

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
        # By minute, then by route and arm: judged and bad of each objective in turn.
        self._said: dict[float, dict[tuple[str, str], tuple[int, ...]]] = {}
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
        for minute_s in [it for it in self._said if it < now_s - _REMEMBERED_S]:
            del self._said[minute_s]

    def of(self, route: str, now_s: float) -> tuple[Windowed, ...]:
        """The route's objectives."""
        return tuple(
            Windowed(
                one.objective, one.counts(now_s), one.canary(HOUR_S, now_s), one.known_s(now_s)
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
        slots = self._said.setdefault(span.minute_s, {}) if span_s == MINUTE_S else {}
        slot = span.route, span.arm
        before = slots.get(slot)
        if before is None and not span.slis and not span.latencies and not any(span.turns):
            return
        said: list[int] = []
        canary = span_s == MINUTE_S and span.arm == _CANARY
        for sli, one in kept.items():
            judged, bad = counted(span, one.objective)
            if before is not None:
                at = len(said)
                more, more_bad = judged - before[at], bad - before[at + 1]
            else:
                more, more_bad = judged, bad
            said += (judged, bad)
            if more or more_bad:
                one.add(span.minute_s, more, more_bad, canary=canary)
                if is_news:
                    total = self.totals[span.route, sli]
                    total.judged += max(more, 0)
                    total.bad += max(more_bad, 0)
        slots[slot] = tuple(said)

    def _is_maintained(self, span: Minute, span_s: float) -> bool:
        """Whether it touches a maintenance: of hours and days that were stored, the whole."""
        maintenance = self._declared[span.route].budget.maintenance
        return bool(maintenance) and any(
            it.from_s < span.minute_s + span_s and span.minute_s < it.until_s for it in maintenance
        )


def counted(span: Minute, objective: Objective) -> tuple[int, int]:
    """Requests that were judged by the objective, and how many of them were bad."""
    if objective.per_output_token_s:
        return sum(span.turns), span.turns[1]
    if objective.within_s is not None:
        payloads = span.latencies.get(cast("LatencySli", objective.sli))
        if payloads is None:
            return 0, 0
        judged, good = counted_upto(payloads, objective.within_s)
        return judged, judged - round(good)
    good_bad = span.slis.get(cast("Sli", objective.sli))
    return (0, 0) if good_bad is None else (good_bad[0] + good_bad[1], good_bad[1])


def _whole(at_s: float, step_s: float) -> float:
    return at_s // step_s * step_s
