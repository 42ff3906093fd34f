"""Burn alerts over months of simulated traffic: nobody is woken for nothing, and soon for all."""

import random
from math import exp
from statistics import median

import pytest

from tidegate.control.sli_windows import MINUTE_S, Ring
from tidegate.core.block import Tally
from tidegate.stats import burn
from tidegate.stats.burn import DAY_S, HOUR_S, WEEK_S, burning

P30 = 30 * DAY_S
START_S = 1_800_000_000.0
# From a request's end until a decision has seen it: a bin of ten seconds, and a tick of ten.
DELAY_S = 20.0


class Traffic:
    """Requests of one objective, in the windows that control keeps of them."""

    def __init__(self, target: float, seed: int) -> None:
        self.target = target
        self.drawn = random.Random(seed)
        self._minutes, self._hours = Ring(MINUTE_S, 6 * HOUR_S), Ring(HOUR_S, P30)

    def add(self, at_s: float, judged: int, bad: int) -> None:
        self._minutes.add(at_s, judged, bad)
        self._hours.add(at_s, judged, bad)

    def pages(self, now_s: float, known_s: float) -> bool:
        self._minutes.advance(now_s)
        self._hours.advance(now_s)
        found = burning(P30, self.target, self._counted, known_s)
        return any(one.fires for one in found if one.tier.severity == "page")

    def _counted(self, window_s: float) -> Tally:
        return (self._minutes if window_s <= 6 * HOUR_S else self._hours).tally(window_s)

    def poisson(self, mean: float) -> int:
        """Knuth's way; `mean` is small."""
        count, below, left = 0, exp(-mean), self.drawn.random()
        while left > below:
            count, left = count + 1, left * self.drawn.random()
        return count


def false_pages(
    per_minute: float, target: float, seed: int, days: int = 30, *, together: int = 1
) -> int:
    """Minutes with a page where half of the budget is spent, evenly, by failures that come so many
    together."""
    traffic, pages = Traffic(target, seed), 0
    bad_mean = per_minute * (1 - target) / 2
    for minute in range(days * 1440):
        at_s = START_S + 60 * minute
        bad = together * traffic.poisson(bad_mean / together)
        traffic.add(at_s, traffic.poisson(per_minute - bad_mean) + bad, bad)
        if bad:  # a page begins with a bad request
            pages += traffic.pages(at_s + 59, 60.0 * minute)
    return pages


# A month each, over the traffic from three requests an hour to fifty a minute.
MONTHS = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 35.0, 50.0]


@pytest.mark.parametrize(
    ("days", "targets"),
    [
        pytest.param(30, (0.999,), id="one"),
        pytest.param(30, (0.9995, 0.999, 0.99, 0.95, 0.9), id="all", marks=pytest.mark.soak),
    ],
)
def test_no_false_page_at_half_the_budget(days: int, targets: tuple[float, ...]) -> None:
    found = {
        (per_minute, target): false_pages(per_minute, target, seed, days)
        for seed, per_minute in enumerate(MONTHS)
        for target in targets
    }
    assert {which: pages for which, pages in found.items() if pages} == {}


@pytest.mark.soak
def test_callers_that_try_three_times_page_no_more_for_four_being_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pages() -> int:
        return sum(false_pages(rate, 0.999, seed, together=3) for seed, rate in enumerate(MONTHS))

    with_it = pages()
    monkeypatch.setattr(burn, "LEAST_SURE", 10**9)
    without = pages()
    print(f"12 months of failures three at a time: {with_it} minutes with a page, {without} before")
    assert with_it == without


def paged_after_s(per_minute: float, seed: int | None, target: float = 0.999) -> float:
    """From the first moment of a full outage after a week without a bad request; evenly spaced
    requests without a seed."""
    traffic, at_s = Traffic(target, seed or 0), START_S
    gap_s = 60.0 / per_minute
    for hours in range(7 * 24, 6, -1):
        traffic.add(START_S - hours * HOUR_S, round(60 * per_minute), 0)
    for minutes in range(6 * 60, 0, -1):
        came = round(per_minute) if seed is None else traffic.poisson(per_minute)
        traffic.add(START_S - minutes * MINUTE_S, came, 0)
    while at_s < START_S + HOUR_S:
        at_s += gap_s if seed is None else traffic.drawn.expovariate(1 / gap_s)
        traffic.add(at_s, 1, 1)
        if traffic.pages(at_s, WEEK_S):
            return at_s - START_S + DELAY_S
    return HOUR_S


@pytest.mark.parametrize("per_minute", [5, 7, 10, 50, 1000])
def test_a_full_outage_is_paged_within_two_minutes(per_minute: float) -> None:
    assert paged_after_s(per_minute, None) <= 120


@pytest.mark.parametrize(
    "runs", [pytest.param(100, id="100"), pytest.param(2000, id="2000", marks=pytest.mark.soak)]
)
def test_a_full_outage_of_requests_that_come_as_they_please(runs: int) -> None:
    for per_minute, in_time in ((5, 0.93), (10, 0.96), (50, 1.0)):
        waits = [paged_after_s(per_minute, seed) for seed in range(runs)]
        share = sum(wait <= 120 for wait in waits) / runs
        print(f"{per_minute} a minute: median {median(waits):.0f} s, {share:.2%} within 120 s")
        assert median(waits) <= 90
        assert sum(wait <= 120 for wait in waits) >= in_time * runs


def test_four_in_a_row_wake_people_before_the_hour_s_burn_is_whole() -> None:
    assert paged_after_s(5, None) == 4 * 12 + DELAY_S
    assert paged_after_s(2, None) == 4 * 30 + DELAY_S
    assert paged_after_s(5, None, 0.99) > 5 * 60  # where four are no proof
