"""Which live answers are drawn and when: every arm alike, never too many, never too dear."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.clock import IdSource
from tidegate.evals.live_sampling import (
    DAY_S,
    HOUR_S,
    MOST_WAITING,
    Candidate,
    Pace,
    Pool,
    Purse,
    ServedBy,
    turn_of,
)
from tidegate.stats.stratified import Part, overall

CANARY, STABLE = ServedBy("canary", "v2", "m"), ServedBy("stable", "v1", "m")
NONE = ServedBy(None, "v1", "m")
_ids = IdSource()


def some(served_by: ServedBy, count: int, at_s: float = 100.0) -> list[Candidate]:
    return [Candidate(_ids.new(), at_s, served_by) for _ in range(count)]


def drawn(pool: Pool, count: int) -> Counter[ServedBy]:
    taken = (pool.take(0.0) for _ in range(count))
    return Counter(one.served_by for one in taken if one is not None)


def test_a_canary_of_few_requests_is_judged_as_often_as_the_stable_arm() -> None:
    pool = Pool()
    pool.add([*some(CANARY, 50), *some(STABLE, 950)])
    assert drawn(pool, 80) == {CANARY: 40, STABLE: 40}
    assert drawn(pool, 40) == {CANARY: 10, STABLE: 30}  # what one cannot use others get
    assert drawn(pool, 2000) == {STABLE: 880}


def test_who_comes_late_gets_the_same_share_from_then_on_and_no_more() -> None:
    pool = Pool()
    pool.add(some(STABLE, 500))
    drawn(pool, 100)
    pool.add([*some(CANARY, 500), *some(NONE, 500)])
    assert drawn(pool, 30) == {STABLE: 10, CANARY: 10, NONE: 10}


def test_within_an_arm_only_the_id_decides() -> None:
    several = some(STABLE, 200)
    orders = []
    for seed in (1, 2):
        pool = Pool()
        shuffled = [it._replace(at_s=100.0 + i) for i, it in enumerate(several)]
        random.Random(seed).shuffle(shuffled)
        for one in shuffled:
            pool.add([one])
        taken = [pool.take(0.0) for _ in several]
        orders.append([it.receipt_id for it in taken if it is not None])
    ids = [it.receipt_id for it in several]
    assert orders == [sorted(ids, key=turn_of)] * 2
    assert orders[0] != ids


def test_what_was_drawn_does_not_come_again_unless_it_is_put_back() -> None:
    [before, other] = some(STABLE, 2)
    pool = Pool([before])
    pool.add([before, other])
    taken = pool.take(0.0)
    assert taken == other
    pool.add([other])
    assert pool.take(0.0) is None
    pool.put_back(other)
    assert pool.take(0.0) == other


def test_what_is_too_old_is_not_graded() -> None:
    pool = Pool()
    pool.add([*some(STABLE, 3, at_s=10.0), *some(STABLE, 2, at_s=20.0)])
    assert drawn(pool, 1) == {STABLE: 1}
    assert len([it for it in (pool.take(15.0) for _ in range(5)) if it is not None]) <= 2
    assert len(pool) == 0


def test_what_waits_is_bounded_and_what_is_first_in_turn_is_kept() -> None:
    pool, several = Pool(), some(STABLE, 3 * MOST_WAITING)
    for at in range(0, len(several), 500):
        pool.add(several[at : at + 500])
    assert len(pool) <= 2 * MOST_WAITING
    first = pool.take(0.0)
    assert first is not None
    assert first.receipt_id == min((it.receipt_id for it in several), key=turn_of)


@given(
    per_hour=st.integers(1, 5000),
    waits=st.lists(st.floats(0.0, 1500.0), min_size=1, max_size=60),
    restarts=st.sets(st.integers(0, 60)),
)
def test_never_more_than_per_hour_in_any_hour_whatever_restarts(
    per_hour: int, waits: list[float], restarts: set[int]
) -> None:
    now_s, at = 0.0, list[float]()
    pace = Pace(per_hour, (), now_s)
    for number, wait_s in enumerate(waits):
        now_s += wait_s
        if number in restarts:
            pace = Pace(per_hour, (now_s - it for it in at if it > now_s - HOUR_S), now_s)
        while pace.free(now_s):
            pace.took(now_s)
            at.append(now_s)
    for end_s in at:
        assert sum(end_s - HOUR_S < it <= end_s for it in at) <= per_hour


def test_it_is_spread_over_the_hour() -> None:
    pace, begun = Pace(120, (), 0.0), []
    for second in range(3600):
        while pace.free(float(second)):
            pace.took(float(second))
            begun.append(second)
    assert 119 <= len(begun) <= 120
    for start in range(0, 3600, 600):
        assert 18 <= sum(start <= it < start + 600 for it in begun) <= 22


def test_what_came_to_nothing_is_given_back() -> None:
    pace = Pace(1, (), 0.0)
    pace.took(0.0)
    assert not pace.free(1.0)
    pace.give_back()
    assert pace.free(1.0) == 1


@given(
    most=st.integers(1, 1000),
    costs=st.lists(st.integers(0, 100), max_size=80),
    at_once=st.integers(1, 8),
)
def test_never_over_the_money_by_more_than_nobody_could_know(
    most: int, costs: list[int], at_once: int
) -> None:
    purse, left, over = Purse(most, 0, None, 0.0), list(costs), 0
    while left and purse.may(0.0):
        held = list[int]()
        while len(held) < at_once and purse.may(0.0):
            held.append(purse.hold())
        for it in held:
            cost = left.pop() if left else 0
            over += max(0, cost - it)
            purse.settle(it, cost)
    assert purse.spent <= most + over


def test_money_is_given_anew_with_each_day_and_never_by_a_clock_set_back() -> None:
    purse = Purse(10, 10, 2, 3 * DAY_S)
    assert not purse.may(3 * DAY_S + 5)
    assert not purse.may(2 * DAY_S)
    assert purse.may(4 * DAY_S)
    purse.settle(purse.hold(), 9)
    assert purse.used == 0.9
    assert not purse.may(3 * DAY_S)


def test_what_nobody_knows_the_cost_of_is_as_dear_as_the_dearest_and_never_nothing() -> None:
    purse = Purse(10, 0, 4, 0.0)
    purse.settle(purse.hold(), None)
    assert purse.spent == 4
    unknown = Purse(10, 0, None, 0.0)
    unknown.settle(unknown.hold(), None)
    assert unknown.is_unknown and not unknown.may(0.0)
    assert unknown.may(DAY_S)


def test_one_that_was_dearer_than_a_whole_day_costs_no_other_day() -> None:
    purse = Purse(10, 0, None, 0.0)
    purse.settle(purse.hold(), 15)
    assert not purse.may(5.0)
    assert purse.may(DAY_S)
    held = purse.hold()
    assert not purse.may(DAY_S)  # alone, until it is known what they cost now
    purse.settle(held, 3)
    assert purse.may(DAY_S)


def test_what_is_graded_of_an_arm_is_made_up_as_that_arm_is() -> None:
    """Both arms answer one in ten by a fallback: neither is to look worse for it than it is."""
    pool = Pool()
    for arm, count in (("stable", 900), ("canary", 90)):
        pool.add(some(ServedBy(arm, "v1", "usual"), count))
        pool.add(some(ServedBy(arm, "v1", "fallback"), count // 9))
    found = drawn(pool, 120)
    for arm in ("stable", "canary"):
        of_arm = {it.model: n for it, n in found.items() if it.arm == arm}
        assert sum(of_arm.values()) == 60
        assert of_arm.get("fallback", 0) <= 15


def test_the_share_of_the_whole_is_found_though_arms_are_drawn_alike() -> None:
    """A canary of 5 % in which 40 % are bad beside a stable arm with 4 %: 5.8 % of all."""
    rng, plain, found, within = random.Random(7), 0.0, 0.0, 0
    runs = 200
    for _ in range(runs):
        bad = {CANARY: 0, STABLE: 0}
        pool = Pool()
        pool.add([*some(CANARY, 50), *some(STABLE, 950)])
        count = drawn(pool, 80)
        for arm, rate in ((CANARY, 0.4), (STABLE, 0.04)):
            bad[arm] = sum(rng.random() < rate for _ in range(count[arm]))
        share = overall(
            Part(size, count[it], bad[it]) for it, size in ((CANARY, 50), (STABLE, 950))
        )
        assert share is not None
        found += share.share / runs
        plain += sum(bad.values()) / 80 / runs
        within += share.low <= 0.058 <= share.high
    assert abs(found - 0.058) < 0.006
    assert plain > 0.2
    assert within >= 0.9 * runs
