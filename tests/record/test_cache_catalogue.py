"""What caches did is told by the route and by who found it."""

from tidegate.record.cache_catalogue import ALL, CACHE_SAVED


def test_each_is_of_a_tier_or_of_a_prefix_cache() -> None:
    for spec in ALL:
        if spec is not CACHE_SAVED:  # which is told like any money of requests
            of_prefix = spec.name.startswith("tidegate_prefix_")
            assert spec.labels[:2] == ("route", "prompt_version" if of_prefix else "tier")
