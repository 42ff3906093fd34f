"""When a burn is worth waking somebody, and when it is none."""

import math

import pytest

from tidegate.core.block import Tally
from tidegate.stats import burn
from tidegate.stats.burn import DAY_S, HOUR_S, WEEK_S, Burning, Counted

P30 = 30 * DAY_S


def steady(per_hour: float, bad_share: float, since_s: float = math.inf) -> Counted:
    """Requests that come evenly, all of a sudden so bad as this since so long ago."""

    def counted(window_s: float) -> Tally:
        bad = per_hour * min(window_s, since_s) / HOUR_S * bad_share
        return Tally(round(per_hour * window_s / HOUR_S), round(bad))

    return counted


def firing(found: tuple[Burning, ...]) -> list[str]:
    return [one.tier.name for one in found if one.fires]


def test_factors_are_those_of_the_workbook() -> None:
    at_30, at_28 = (
        [burn.written_factor(t, d * DAY_S) for t in burn.tiers(d * DAY_S)] for d in (30, 28)
    )
    assert at_30 == pytest.approx([14.4, 6.0, 3.0, 1.0])
    assert at_28 == pytest.approx([13.44, 5.6, 2.8, 0.9333], rel=1e-3)


def test_a_short_period_has_short_windows_of_whole_minutes() -> None:
    week = burn.tiers(WEEK_S)
    assert [(one.long_s, one.short_s) for one in week] == [
        (900.0, 120.0),
        (5400.0, 480.0),
        (21600.0, 1800.0),
        (64800.0, 5400.0),
    ]
    factors = [burn.written_factor(one, WEEK_S) for one in week]
    assert factors == pytest.approx([13.44, 5.6, 2.8, 0.9333], rel=1e-3)


@pytest.mark.parametrize(("target", "most"), [(0.95, 10.0), (0.90, 5.0), (0.99, 14.4)])
def test_a_factor_that_most_requests_would_have_to_be_bad_for_is_lowered(
    target: float, most: float
) -> None:
    fast = burn.tiers(P30)[0]
    assert burn.factor(fast, P30, target) == pytest.approx(most)
    assert burn.is_lowered(fast, P30, target) == (most < 14.4)


def test_every_window_that_is_looked_at_is_asked_for() -> None:
    asked: set[float] = set()

    def counted(window_s: float) -> Tally:
        asked.add(window_s)
        return Tally()

    for period_s in (WEEK_S, P30, 90 * DAY_S):
        asked.clear()
        burn.burning(period_s, 0.999, counted, period_s)
        burn.is_due(counted, period_s, None)
        burn.came_lately(counted, period_s)
        assert asked <= set(burn.windows_s(period_s))
        assert period_s in burn.windows_s(period_s)


@pytest.mark.parametrize(
    ("bad_share", "tiers"),
    [
        (0.0005, []),
        (0.0009, []),
        (0.0012, ["long"]),
        (0.0032, ["slow", "long"]),
        (0.0065, ["medium", "slow", "long"]),
        (0.0150, ["fast", "medium", "slow", "long"]),
    ],
)
def test_tiers_fire_above_their_factors(bad_share: float, tiers: list[str]) -> None:
    found = burn.burning(P30, 0.999, steady(60_000, bad_share), P30)
    assert firing(found) == tiers


def test_an_hour_that_was_bad_and_is_good_again_fires_nothing_fast() -> None:
    def counted(window_s: float) -> Tally:
        bad = 0 if window_s <= 1800 else 500
        return Tally(round(60_000 * window_s / HOUR_S), bad)

    assert "fast" not in firing(burn.burning(P30, 0.999, counted, P30))


def hour(bad: int, judged: int, *, of: int) -> Counted:
    """So many bad ones of those in the newest five minutes, and in the windows beyond of `of`."""
    return lambda window_s: Tally(judged if window_s <= 300 else of, bad)


@pytest.mark.parametrize(
    ("counted", "fires"),
    [
        (hour(5, 50, of=200), True),
        (hour(4, 50, of=200), False),  # four of fifty
        (hour(4, 40, of=200), True),
        (hour(3, 3, of=200), False),  # may be one caller's
        (hour(4, 4, of=345), True),  # a burn of 11.6, with the next one of 14.45
        (hour(4, 4, of=350), False),
        (hour(12, 12, of=900), True),
        (hour(11, 11, of=900), False),
    ],
)
def test_few_bad_requests_are_no_evidence_unless_hardly_any_other_came(
    counted: Counted, fires: bool
) -> None:
    def since_long(window_s: float) -> Tally:
        return counted(window_s) if window_s <= HOUR_S else Tally(20_000, 5)

    assert ("fast" in firing(burn.burning(P30, 0.999, since_long, P30))) is fires


def test_a_ticket_waits_for_its_five() -> None:
    def counted(window_s: float) -> Tally:
        return Tally(4, 4) if window_s <= 6 * HOUR_S else Tally(1000, 4)

    found = burn.burning(P30, 0.999, counted, HOUR_S)
    assert firing(found) == ["fast", "medium"]


def test_nobody_is_woken_by_what_the_budget_itself_makes_likely() -> None:
    def counted(window_s: float) -> Tally:
        return Tally(720, 5)  # of 99.9 %: a burn of 6.9, and one time in thousand by luck

    medium = burn.burning(P30, 0.999, counted, P30)[1]
    assert medium.long is not None and medium.long > 6.0
    assert not medium.fires


@pytest.mark.parametrize("per_minute", [5, 10, 50, 1000])
def test_a_full_outage_is_paged_within_two_minutes(per_minute: int) -> None:
    known = steady(per_minute * 60, 1.0, 75.0)
    assert "fast" in firing(burn.burning(P30, 0.999, known, P30))


def test_where_a_week_allows_less_than_one_bad_request_they_are_counted() -> None:
    rare = steady(3, 1.0, 2 * HOUR_S)  # six of them
    found = burn.burning(P30, 0.999, rare, P30)
    assert firing(found) == ["fast", "long"]
    assert all(one.factor is None for one in found)
    few = steady(3, 1.0, 1.1 * HOUR_S)  # three: a ticket wakes nobody
    assert firing(burn.burning(P30, 0.999, few, P30)) == ["long"]
    assert burn.is_counted(rare, 0.999, P30) and not burn.is_counted(rare, 0.99, P30)
    assert not burn.is_counted(rare, 0.999, 600.0)  # of so short a time nothing is known


def test_no_requests_are_no_burn_and_fire_nothing() -> None:
    found = burn.burning(P30, 0.999, lambda _: Tally(), P30)
    assert [(one.long, one.short, one.fires) for one in found] == [(None, None, False)] * 4
    assert burn.burn(Tally(), 0.999) is None
    assert burn.remaining(Tally(), 0.999) is None
    assert burn.remaining(Tally(1000, 2), 0.999) == pytest.approx(-1.0)
    assert burn.remaining(Tally(1000, 2), 0.999, 0.25) == pytest.approx(0.5)


def test_chance_bounds_the_poisson_tail() -> None:
    for expected in (0.3, 2.0, 20.0):
        for bad in range(1, 60):
            terms = (bad_or_more_below(bad, expected) for _ in range(1))
            assert burn.chance(bad, expected) >= 1.0 - next(terms) - 1e-12
    assert burn.chance(3, 0.0) == 0.0
    assert burn.chance(0, 2.0) == 1.0


@pytest.mark.parametrize("judged", [4, 9, 300])
@pytest.mark.parametrize("share", [0.0005, 0.01, 0.1])
def test_tail_is_the_binomial_one(judged: int, share: float) -> None:
    for bad in range(min(judged, 12) + 1):
        exact = sum(
            math.comb(judged, one) * share**one * (1 - share) ** (judged - one)
            for one in range(bad, judged + 1)
        )
        assert burn.tail(bad, judged, share) == pytest.approx(exact, rel=1e-9, abs=1e-300)


def bad_or_more_below(bad: int, expected: float) -> float:
    return sum(math.exp(-expected) * expected**k / math.factorial(k) for k in range(bad))


def test_time_to_detect() -> None:
    fast = burn.tiers(P30)[0]
    assert burn.detect_s(fast, P30, 0.999, 1.0) == pytest.approx(51.84)
    assert burn.detect_s(fast, P30, 0.999, 0.001) == HOUR_S  # never sooner said than looked at


@pytest.mark.parametrize(
    ("last_hours", "last_day", "week_ago", "due"),
    [
        (120, 120, None, True),
        (6, 6, None, False),
        (3600, 6, None, False),
        (6, 3600, None, False),
        (0, 600, None, False),
        (600, 600, 600, True),
        (600, 600, 6, False),  # as every evening
        (0, 600, 600, True),  # a morning on which nobody comes
        (600, 6, 600, True),  # the first morning after a quiet day
        (0, 6, 600, False),  # it has not been used for a day
        (600, 600, 0, False),
    ],
)
def test_requests_are_due_by_a_week_ago_and_by_what_came_lately(
    last_hours: int, last_day: int, week_ago: int | None, due: bool
) -> None:
    def counted(window_s: float) -> Tally:
        per_hour = last_day if window_s > 3 * HOUR_S else last_hours
        return Tally(round(per_hour * window_s / HOUR_S))

    per_s = None if week_ago is None else week_ago / HOUR_S
    assert burn.is_due(counted, P30, per_s) is due
    assert burn.came_lately(counted, P30) is (last_day > 6)
    assert burn.absence_gap_s(P30) == 600.0
