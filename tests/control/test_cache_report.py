"""A row says what is known of its tier, with what the route declares."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine
from tests.control.test_cache_quality import HOUR_S, fresh, judge

from tidegate.control.cache_report import report
from tidegate.control.shapes_cache_worth import TierWorth
from tidegate.core.cache import Tier
from tidegate.core.cache_worth import BLOCK_S, SUMS, CacheBin, CacheKey, CacheSums
from tidegate.core.declared_cache import DeclaredCache
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.declared_semantic import DeclaredSemantic
from tidegate.core.declared_worth import DeclaredWorth
from tidegate.stores import cache_sums, database
from tidegate.stores.cache_sums import Which

EVER = Which(HOUR_S, HOUR_S + 86_400.0)
SOME = CacheSums(lookups=50, hits=20, saved_us=20_000_000, lookup_us=500, miss_us=300)


def served(engine: Engine, one: CacheSums, tier: Tier = "semantic", team: str = "") -> None:
    sums = [getattr(one, name) for name in SUMS]
    with database.writing(engine) as connection:
        bins = {
            CacheKey(int(HOUR_S) + number * BLOCK_S, "faq", tier, team): CacheBin(list(sums))
            for number in range(20)
        }
        cache_sums.add(connection, "", bins)


def row(engine: Engine, which: Which = EVER, **declared: DeclaredRoute) -> TierWorth:
    [only] = report(engine, which, declared).tiers
    return only


def test_judged_hits_are_beside_fresh_answers_for_those_who_see_everything(engine: Engine) -> None:
    served(engine, SOME, team="red")
    judge(engine, {0.9: 8})
    fresh(engine, 200, 2)
    found = row(engine)
    assert found.advice == "wrong answers"
    assert found.quality is not None
    assert (found.quality.fresh_judged, found.quality.fresh_bad) == (200, 2)
    assert found.quality.low < 0.8 < found.quality.high
    mine = row(engine, EVER._replace(team="red"))
    assert mine.quality is None


def test_what_hits_saved_is_unknown_where_nobody_knows_it_of_any(engine: Engine) -> None:
    served(engine, CacheSums(lookups=50, hits=20, saved_unknown=20, saved_us=10**7))
    found = row(engine)
    assert (found.saved_usd, found.money, found.advice) == (None, None, "unknown")
    assert found.seconds is not None


def test_a_tier_in_shadow_gives_nothing_yet(engine: Engine) -> None:
    served(engine, CacheSums(lookups=50, lookup_us=10**6, miss_us=10**6))
    cache = DeclaredCache(semantic=DeclaredSemantic(mode="shadow"))
    assert row(engine, faq=DeclaredRoute(target="m", cache=cache)).advice == "shadow"


def test_a_store_costs_nothing_before_anything_was_looked_for(engine: Engine) -> None:
    served(engine, SOME)
    worth = DeclaredWorth(store_usd_per_h=Decimal("0.1"), usd_per_cpu_h=Decimal(0))
    declared = DeclaredRoute(target="m", cache=DeclaredCache(worth=worth))
    ends_s = HOUR_S + 20 * BLOCK_S
    paid = [
        it.value
        for since_s in (HOUR_S, HOUR_S - 5 * 86_400.0)
        if (it := row(engine, Which(since_s, ends_s), faq=declared).money) is not None
    ]
    assert paid == pytest.approx([-0.1 * 20 * BLOCK_S / 3600] * 2)


def test_saved_time_is_less_what_hits_took(engine: Engine) -> None:
    served(engine, CacheSums(lookups=2, hits=2, saved_us=3_000_000, hit_us=1_000_000))
    assert row(engine).saved_s == pytest.approx(40.0)
