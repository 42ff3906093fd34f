"""A receipt counts once for each tier that looked for its answer."""

from typing import Any

from tests.stores import rig as stores

from tidegate.core.cache_worth import BLOCK_S, CacheKey, CacheSums
from tidegate.core.receipt import Receipt
from tidegate.record.cache_bins import CacheBins
from tidegate.stats.histogram import quantile

START_S = 1_790_000_100


def made(**fields: Any) -> Receipt:
    at_s = fields.pop("at_s", START_S)
    usual = {"route": "faq", "team": "red", "total_s": 0.5, "cost_nanousd": 2000, "cache": "miss"}
    return stores.receipt(at_s, **{**usual, "cache_lookup_s": 0.001, **fields})


def hit(**fields: Any) -> Receipt:
    usual = {"cache": "hit", "cache_tier": "exact", "total_s": 0.002, "cost_nanousd": 0}
    return made(**{**usual, "saved_nanousd": 3000, "saved_s": 0.4, **fields})


def sums(*receipts: Receipt) -> CacheSums:
    bins = CacheBins()
    for receipt in receipts:
        bins.fold(receipt)
    return CacheSums(
        *(sum(one) for one in zip(*(it.sums for it in bins.take().values()), strict=True))
    )


def test_a_hit_and_a_miss_are_what_they_saved_and_paid() -> None:
    assert sums(hit(), hit(cache="joined"), made()) == CacheSums(
        lookups=3,
        hits=2,
        hit_us=4000,
        saved_us=800_000,
        saved_nanousd=6000,
        lookup_us=3000,
        miss_us=1000,
        missed=1,
        missed_nanousd=2000,
        missed_us=500_000,
    )


def test_unknown_is_not_nothing() -> None:
    found = sums(hit(saved_nanousd=None), made(cost_nanousd=None), made(error_code="upstream_5xx"))
    assert (found.saved_unknown, found.missed, found.lookups) == (1, 0, 3)


def test_what_was_not_looked_for_counts_nowhere() -> None:
    bins = CacheBins()
    bins.fold(made(cache="bypass", cache_lookup_s=None))
    bins.fold(made(cache_lookup_s=None))
    bins.fold(made(purpose="eval"))
    assert not bins.take()


def test_asking_anew_is_what_a_stale_answer_cost() -> None:
    assert sums(made(cache="refresh", cache_lookup_s=None)) == CacheSums(spent_nanousd=2000)


def test_blocks_are_of_five_minutes_a_route_a_tier_and_a_team() -> None:
    bins = CacheBins()
    bins.fold(hit(at_s=START_S + BLOCK_S))
    bins.fold(made())
    bins.fold(made(team=None, at_s=-5.0))
    taken = bins.take()
    assert set(taken) == {
        CacheKey(START_S // BLOCK_S * BLOCK_S, "faq", "exact", "red"),
        CacheKey(START_S // BLOCK_S * BLOCK_S + BLOCK_S, "faq", "exact", "red"),
        CacheKey(0, "faq", "exact", ""),
    }
    assert not bins.take()
    middle = quantile(taken[START_S // BLOCK_S * BLOCK_S, "faq", "exact", "red"].miss_s, 0.5)  # type: ignore[index]
    assert middle is not None and abs(middle - 0.001) < 0.0001


def test_a_time_that_is_none_breaks_nothing() -> None:
    assert sums(hit(total_s=float("nan"), saved_s=float("inf"))).hits == 1


def test_a_request_that_two_tiers_looked_for_paid_both() -> None:
    bins = CacheBins()
    bins.fold(made(cache_lookup_s=0.014, cache_semantic_s=0.013))
    bins.fold(hit(cache_tier="semantic", cache_lookup_s=0.014, cache_semantic_s=0.013))
    found = {key.tier: CacheSums(*one.sums) for key, one in bins.take().items()}
    assert (found["exact"].lookups, found["exact"].hits, found["exact"].miss_us) == (2, 0, 2000)
    assert (found["exact"].missed, found["exact"].missed_nanousd) == (1, 2000), "one was answered"
    assert (found["semantic"].hits, found["semantic"].lookup_us) == (1, 26_000)
    assert (found["semantic"].miss_us, found["semantic"].saved_us) == (13_000, 400_000)


def test_where_only_the_semantic_tier_looked_it_alone_is_counted() -> None:
    bins = CacheBins()
    bins.fold(made(cache_lookup_s=0.013, cache_semantic_s=0.013))
    assert [key.tier for key in bins.take()] == ["semantic"]
    bins.fold(hit(cache="joined", cache_tier="semantic"))
    joined = {key.tier: CacheSums(*one.sums) for key, one in bins.take().items()}
    assert (joined["semantic"].hits, joined["semantic"].lookup_us) == (1, 0)


def test_items_of_embeddings_count_each_and_a_part_saves_no_time() -> None:
    usual = {"endpoint": "embeddings", "cache_items": 4, "saved_nanousd": None, "saved_s": None}
    kept = {**usual, "cache_tier": "embeddings"}
    found = sums(
        made(**usual, cache_item_hits=0),
        made(**{**kept, "cache": "partial", "cache_item_hits": 3, "saved_nanousd": 30}),
        made(**{**kept, "cache": "hit", "cache_item_hits": 4, "saved_nanousd": 40, "saved_s": 1.0}),
    )
    assert (found.lookups, found.hits, found.saved_nanousd) == (12, 7, 70)
    assert (found.saved_us, found.hit_us) == (1_000_000, 500_000)
    assert (found.missed, found.missed_us, found.miss_us) == (4, 500_000, 2000)
    unknown = made(**{**kept, "cache": "partial", "cache_item_hits": 3})
    assert sums(unknown).saved_unknown == 3
