"""A tier's net and what is advised: by hits, by what lookups cost, by how hits were judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.stats.cache_traffic import Traffic

from tidegate.core.cache_worth import CacheSums, Judged, Quality, Worth
from tidegate.stats.worth import ALPHA, found

NOBODY = Quality()
PRICED = Worth(usd_per_s=0.0001)


RARE, OFTEN = Traffic(0.05), Traffic(0.4)


def test_a_tier_with_few_hits_and_dear_lookups_does_not_pay() -> None:
    one = found(RARE.blocks(1), Worth(), NOBODY)
    assert one.advice == "does not pay"
    assert one.money is not None and one.seconds is not None
    assert one.money.high < 0 and one.seconds.high < 0
    assert one.both is None, "a second has no price"


def test_one_with_many_hits_pays() -> None:
    one = found(OFTEN.blocks(1), PRICED, NOBODY)
    assert one.advice == "pays"
    assert one.both is not None and 0 < one.both.low < one.both.value < one.both.high


def test_the_net_is_the_sum_of_what_was_saved_less_what_was_paid() -> None:
    blocks = RARE.blocks(2)
    one = found(blocks, Worth(usd_per_cpu_h=0.36, store_usd_per_h=0.01), NOBODY, 3600.0)
    sums = one.sums
    assert one.money is not None and one.seconds is not None
    paid = sums.lookup_us / 1e6 * 0.0001 + 0.01
    assert one.money.value * sums.lookups == pytest.approx(sums.saved_nanousd / 1e9 - paid)
    net_s = (sums.saved_us - sums.hit_us - sums.miss_us) / 1e6
    assert one.seconds.value * sums.lookups == pytest.approx(net_s)


def test_early_on_nothing_is_said_but_how_many_more_may_tell() -> None:
    one = found(RARE.blocks(1, 3), Worth(), NOBODY)
    assert one.advice == "too early" and one.more is not None and one.more > 0
    assert found([], Worth(), NOBODY).advice == "too early"


def test_before_any_hit_a_cheap_lookup_is_not_in_vain() -> None:
    """What 10 us cost is nothing to what one hit in a thousand would save."""
    cheap = Traffic(0.0, lookup_s=0.00001, saved_s=2.0, cost_nanousd=1_000_000)
    assert found(cheap.blocks(1), PRICED, NOBODY).advice == "too early"


def test_saving_one_and_losing_the_other_is_no_verdict_but_by_a_price() -> None:
    slow = Traffic(0.05, cost_nanousd=1_000_000, lookup_s=0.05, saved_s=0.1)
    assert found(slow.blocks(1), Worth(), NOBODY).advice == "mixed"
    assert found(slow.blocks(1), Worth(usd_per_s=0.01), NOBODY).advice == "does not pay"
    assert found(slow.blocks(1), Worth(usd_per_s=0.00001), NOBODY).advice == "pays"


def test_what_nobody_knows_the_price_of_is_unknown() -> None:
    unpriced = [
        replace(one, saved_nanousd=0, saved_unknown=one.hits, missed=0, missed_nanousd=0)
        for one in OFTEN.blocks(1)
    ]
    one = found(unpriced, Worth(), NOBODY)
    assert (one.advice, one.money) == ("unknown", None)
    assert one.seconds is not None
    assert found(unpriced, PRICED, NOBODY).advice == "unknown"


def test_asking_anew_for_stale_answers_is_paid() -> None:
    blocks = OFTEN.blocks(1)
    stale = [replace(one, spent_nanousd=one.saved_nanousd) for one in blocks]
    fresh, anew = (found(it, Worth(), NOBODY).money for it in (blocks, stale))
    assert fresh is not None and anew is not None
    assert anew.value < 0 < fresh.value


def test_hits_that_are_bad_more_often_are_wrong_and_the_best_floor_is_told() -> None:
    by_score = ((0.86, Judged(200, 90)), (0.9, Judged(300, 4)), (0.94, Judged(500, 2)))
    hits, fresh = Judged(1000, 96), Judged(2000, 30)
    one = found(OFTEN.blocks(1), Worth(most_wrong=0.03), Quality(hits, fresh, by_score))
    assert one.advice == "wrong answers"
    assert one.bad_hits is not None and one.bad_fresh is not None
    assert one.bad_hits.low - one.bad_fresh.high > 0.03
    assert one.floor == 0.9
    every = ((0.86, Judged(500, 48)), (0.94, Judged(500, 48)))
    assert found(OFTEN.blocks(1), Worth(most_wrong=0.03), Quality(hits, fresh, every)).floor is None


def test_a_few_bad_hits_are_no_proof() -> None:
    judged = Quality(Judged(12, 3), Judged(40, 1))
    assert found(OFTEN.blocks(1), Worth(), judged).advice == "pays"


def test_a_wrong_answer_has_a_price() -> None:
    judged = Quality(Judged(2000, 120), Judged(2000, 40))
    dear = Worth(usd_per_s=0.0001, wrong_answer_usd=1.0)
    assert found(OFTEN.blocks(1), dear, judged).advice == "does not pay"
    unjudged = found(OFTEN.blocks(1), dear, NOBODY)
    assert unjudged.advice == "too early", "nobody knows how many are wrong"


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 30), st.booleans())
def test_a_net_is_between_its_bounds(hits: int, misses: int, blocks: int, priced: bool) -> None:
    one = CacheSums(
        lookups=hits + misses,
        hits=hits,
        hit_us=hits * 900,
        saved_us=hits * 500_000,
        saved_nanousd=hits * 1000,
        lookup_us=(hits + misses) * 700,
        miss_us=misses * 700,
        missed=misses,
        missed_nanousd=misses * 1000,
        missed_us=misses * 500_000,
    )
    told = found([one] * blocks, PRICED if priced else Worth(), NOBODY)
    for net in (told.money, told.seconds, told.both):
        if net is not None:
            assert net.low <= net.value + 1e-12 and net.value <= net.high + 1e-12


def turned_off(traffic: Traffic, seed: int, count: int, first: int = 12) -> bool:
    """Whether it was ever found not to pay, by who looks after each block."""
    blocks = traffic.blocks(seed, count)
    looks = range(first, count + 1)
    return any(found(blocks[:n], PRICED, NOBODY).advice == "does not pay" for n in looks)


def test_looking_often_turns_few_off_that_break_even() -> None:
    even = Traffic(0.0713, lookups=40)
    assert sum(turned_off(even, seed, 40) for seed in range(40)) <= 2


def test_a_store_that_is_slow_for_a_while_turns_few_off() -> None:
    """Over all of its time each pays a twentieth of what it costs."""
    slow = Traffic(0.3, lookups=60, saved_s=0.0488, cost_nanousd=0, slow=15.0)
    assert sum(turned_off(slow, seed, 30) for seed in range(25)) == 0


@pytest.mark.soak
def test_streams_that_pay_a_little_are_seldom_taken_to_lose() -> None:
    """Where hit rates stay alike for an hour, and where what hits save is worth very different
    amounts, more often than the bounds say; from three hours on, as the controller has it."""
    alike, heavy = Traffic(0.075, alike=0.9), Traffic(0.075, heavy=2.0)
    for traffic, most in ((alike, 20), (heavy, 3)):
        assert sum(turned_off(traffic, seed, 144, 36) for seed in range(100)) <= most


@pytest.mark.soak
def test_of_a_thousand_that_break_even_no_more_are_turned_off_than_is_said() -> None:
    even = Traffic(0.0713)
    off = sum(turned_off(even, seed, 72) for seed in range(1000))
    assert off <= 1000 * ALPHA + 10
