"""What tiers come to has one row a span, route, tier, team and recorder."""

from tidegate.core.cache_worth import SUMS
from tidegate.stores.schema import metadata
from tidegate.stores.schema_cache import cache_sums


def test_each_sum_has_its_column() -> None:
    assert cache_sums.metadata is metadata
    keys = [c.name for c in cache_sums.primary_key.columns]
    assert keys == ["span_s", "start_s", "route", "tier", "team", "node"]
    assert [c.name for c in cache_sums.columns] == [*keys, *SUMS, "hit_s", "miss_s"]
