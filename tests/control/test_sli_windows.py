"""Windows of objectives, kept up with minutes that change."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from tidegate.control.sli_windows import SliWindows, Source, counted
from tidegate.core.block import Tally
from tidegate.core.objective import ErrorBudget, Maintenance, Objective, RouteObjectives
from tidegate.stats.burn import DAY_S, HOUR_S, WEEK_S
from tidegate.stats.histogram import bucket_of
from tidegate.stores.errors import StoreError
from tidegate.stores.signal_rows import packed_histogram
from tidegate.stores.signals import Minute, News

NOON_S = 1_800_000_000.0 // DAY_S * DAY_S + 12 * HOUR_S
CHAT = RouteObjectives(
    "chat",
    (Objective("availability", 0.999), Objective("ttft", 0.99, 3.0)),
    ErrorBudget(30 * DAY_S),
)


def minute(at_s: float, good: int, bad: int, *, arm: str = "", route: str = "chat") -> Minute:
    slow = packed_histogram({bucket_of(1.0): good, bucket_of(10.0): bad})
    return Minute(int(at_s), route, arm, {"availability": (good, bad)}, {"ttft": [slow]})


class Stored:
    """What a store tells: minutes as they change, and everything by the hour and by the day."""

    def __init__(self) -> None:
        self.told: list[tuple[int, Minute]] = []
        self.began: list[float] = []

    def tell(self, *minutes: Minute) -> None:
        self.told += [(len(self.told) + at + 1, it) for at, it in enumerate(minutes)]

    def minutes_after(self, since: int, from_s: float) -> News:
        if not since:
            self.began.append(from_s)
        newest = {(it.minute_s, it.route, it.arm): (seq, it) for seq, it in self.told}
        fresh = [it for seq, it in newest.values() if seq > since and it.minute_s >= from_s]
        return News(len(self.told), fresh)

    def spans(self, span_s: int, from_s: float, until_s: float) -> list[Minute]:
        newest = {(it.minute_s, it.route, it.arm): it for _, it in self.told}
        found: dict[Any, Minute] = {}
        for it in newest.values():
            start = it.minute_s - it.minute_s % span_s
            if from_s <= start < until_s:
                slot = start, it.route, it.arm
                good, bad = it.slis["availability"]
                if slot in found:
                    was = found[slot].slis["availability"]
                    good, bad = good + was[0], bad + was[1]
                found[slot] = minute(start, good, bad, arm=it.arm, route=it.route)
        return list(found.values())

    def keep_up(self, windows: SliWindows, now_s: float, *declared: RouteObjectives) -> None:
        windows.keep_up(Source(self.minutes_after, self.spans), declared or (CHAT,), now_s)


def tally(windows: SliWindows, window_s: float, now_s: float, at: int = 0) -> Tally:
    return windows.of("chat", now_s)[at].counts[int(window_s)]


def test_minutes_come_into_their_windows_and_leave_them() -> None:
    stored = Stored()
    windows = SliWindows()
    stored.keep_up(windows, NOON_S)
    for number in range(120):
        stored.tell(minute(NOON_S + 60 * number, 9, 1))
        stored.keep_up(windows, NOON_S + 60 * number + 30)
    now_s = NOON_S + 60 * 119 + 59
    assert tally(windows, 300, now_s) == Tally(50, 5)
    assert tally(windows, HOUR_S, now_s) == Tally(600, 60)
    assert tally(windows, 6 * HOUR_S, now_s) == Tally(1200, 120)
    assert tally(windows, WEEK_S, now_s) == tally(windows, 30 * DAY_S, now_s) == Tally(1200, 120)
    assert tally(windows, 300, now_s + 180) == Tally(20, 2)
    assert tally(windows, 300, now_s + 600) == Tally()
    assert tally(windows, DAY_S, now_s + 26 * HOUR_S) == Tally()
    assert tally(windows, 30 * DAY_S, now_s + 29 * DAY_S) == Tally(1200, 120)
    assert windows.known_s("chat", now_s) == now_s - NOON_S


def test_a_minute_takes_the_place_of_what_was_said_of_it() -> None:
    stored = Stored()
    windows = SliWindows()
    stored.keep_up(windows, NOON_S)
    for good in (3, 5, 9):
        stored.tell(minute(NOON_S, good, good // 3), minute(NOON_S, 1, 0, arm="canary"))
        stored.keep_up(windows, NOON_S + 10)
        stored.keep_up(windows, NOON_S + 10)
    assert tally(windows, 300, NOON_S + 30) == Tally(9 + 3 + 1, 3)


def test_a_late_minute_counts_where_it_belongs() -> None:
    stored = Stored()
    windows = SliWindows()
    stored.tell(minute(NOON_S, 9, 0))
    stored.keep_up(windows, NOON_S)
    stored.tell(minute(NOON_S - 1200, 5, 5))
    stored.keep_up(windows, NOON_S + 1)
    assert tally(windows, 300, NOON_S + 1) == Tally(9, 0)
    assert tally(windows, 1800, NOON_S + 1) == Tally(19, 5)


def test_after_a_restart_the_windows_are_as_they_were() -> None:
    stored = Stored()
    drawn = random.Random(5)
    at_s = NOON_S - 12 * DAY_S
    running = SliWindows()
    stored.keep_up(running, at_s)
    while at_s < NOON_S:
        stored.tell(minute(at_s, drawn.randrange(9), drawn.randrange(2)))
        stored.keep_up(running, at_s + 59)
        at_s += 600
    again = SliWindows()
    stored.keep_up(again, NOON_S)
    [was, _], [now, _] = running.of("chat", NOON_S), again.of("chat", NOON_S)
    short = [w for w in was.counts if w <= 6 * HOUR_S]
    assert {w: now.counts[w] for w in short} == {w: was.counts[w] for w in short}
    for window_s in (DAY_S, 3 * DAY_S, WEEK_S, 30 * DAY_S):
        judged = was.counts[int(window_s)].judged
        assert now.counts[int(window_s)].judged == pytest.approx(judged, rel=0.15)
    assert tally(again, 30 * DAY_S, NOON_S) == tally(running, 30 * DAY_S, NOON_S)


def test_other_objectives_are_counted_from_what_is_stored() -> None:
    stored = Stored()
    windows = SliWindows()
    stored.tell(minute(NOON_S, 90, 10), minute(NOON_S, 5, 5, route="other"))
    stored.keep_up(windows, NOON_S)
    patient = replace(CHAT, objectives=(Objective("ttft", 0.99, 60.0),))
    stored.keep_up(windows, NOON_S + 1, patient)
    assert tally(windows, 300, NOON_S + 1) == Tally(100, 0)
    windows.keep_up(Source(stored.minutes_after, stored.spans), (), NOON_S + 2)
    assert windows.of("chat", NOON_S + 2) == ()
    assert windows.known_s("other", NOON_S) == 0.0


def test_what_changes_after_it_is_forgotten_is_read_anew_once_a_minute() -> None:
    stored = Stored()
    windows = SliWindows()
    stored.tell(minute(NOON_S - 5 * HOUR_S, 9, 1))
    stored.keep_up(windows, NOON_S)
    for second in range(1, 120):
        stored.tell(minute(NOON_S - 5 * HOUR_S, 9, second))
        stored.keep_up(windows, NOON_S + second)
    assert len(stored.began) == 2
    stored.keep_up(windows, NOON_S + 120)
    assert tally(windows, 6 * HOUR_S, NOON_S + 120) == Tally(128, 119)


def test_a_clock_that_was_ahead_does_no_harm() -> None:
    stored = Stored()
    windows = SliWindows()
    stored.tell(minute(NOON_S, 9, 1))
    stored.keep_up(windows, NOON_S + 300 * DAY_S)
    stored.keep_up(windows, NOON_S)
    assert tally(windows, 300, NOON_S) == Tally(10, 1)
    stored.tell(minute(NOON_S + 60, 5, 5))
    stored.keep_up(windows, NOON_S + 60)
    stored.keep_up(windows, NOON_S - 5)
    assert tally(windows, 300, NOON_S + 61) == Tally(20, 6)


def test_maintenance_is_charged_to_nobody() -> None:
    stored = Stored()
    stored.tell(*(minute(NOON_S + 60 * it, 0, 9) for it in range(10)))
    planned = ErrorBudget(maintenance=(Maintenance(NOON_S + 60, NOON_S + 240, "database"),))
    windows = SliWindows()
    stored.keep_up(windows, NOON_S + 599, replace(CHAT, budget=planned))
    assert tally(windows, HOUR_S, NOON_S + 599) == Tally(63, 63)


def test_a_candidate_s_requests_are_known_apart() -> None:
    stored = Stored()
    windows = SliWindows()
    stored.tell(minute(NOON_S, 90, 1, arm="stable"), minute(NOON_S, 5, 5, arm="canary"))
    stored.tell(minute(NOON_S, 0, 9, arm="shadow"))  # copies are of no objective
    stored.keep_up(windows, NOON_S + 10)
    [one, _] = windows.of("chat", NOON_S + 10)
    assert (one.canary, one.counts[300]) == (Tally(10, 5), Tally(101, 6))
    assert windows.of("chat", NOON_S + 2 * HOUR_S)[0].canary is None


def test_a_latency_is_good_up_to_its_objective() -> None:
    found = counted(minute(NOON_S, 7, 2), Objective("ttft", 0.99, 3.0))
    assert found == (9, 2)
    assert counted(minute(NOON_S, 7, 2), Objective("turn_time", 0.99, 3.0)) == (0, 0)
    assert counted(minute(NOON_S, 7, 2), Objective("batch", 0.99)) == (0, 0)


def test_a_turn_by_its_length_is_as_it_was_judged_and_known_from_the_first_on() -> None:
    long = Objective("turn_time", 0.95, 4.0, 0.03)
    declared = RouteObjectives("chat", (Objective("availability", 0.999), long))
    stored, windows = Stored(), SliWindows()
    before, after = minute(NOON_S - HOUR_S, 9, 0), minute(NOON_S, 9, 0)
    before.latencies["turn_time"] = [
        packed_histogram({bucket_of(60.0): 9})
    ]  # nobody had judged them
    after.turns = (7, 2)
    stored.tell(before, after)
    stored.keep_up(windows, NOON_S + 30, declared)
    plain, turns = windows.of("chat", NOON_S + 30)
    assert (turns.counts[6 * 3600], plain.counts[6 * 3600]) == (Tally(9, 2), Tally(18, 0))
    assert (turns.known_s, plain.known_s) == (30.0, None)
    assert windows.known_s("chat", NOON_S + 30) == HOUR_S + 30.0
    assert windows.totals["chat", "turn_time"] == Tally()  # all of it was there before


def test_what_could_not_be_read_whole_is_read_again() -> None:
    stored = Stored()
    stored.tell(minute(NOON_S - 10 * DAY_S, 900, 100), minute(NOON_S - 60, 9, 1))
    windows = SliWindows()

    def lost(span_s: int, from_s: float, until_s: float) -> list[Minute]:
        raise StoreError("the connection was lost")

    with pytest.raises(StoreError):
        windows.keep_up(Source(stored.minutes_after, lost), (CHAT,), NOON_S)
    stored.keep_up(windows, NOON_S)
    assert tally(windows, 30 * DAY_S, NOON_S) == Tally(1010, 101)
