"""What tiers had and what they cost, as series."""

from tests.record.test_cache_bins import hit, made

from tidegate.record import cache_catalogue
from tidegate.record.metrics import Metrics

EXACT = ("faq", "exact")


def test_hits_misses_and_what_they_took() -> None:
    metrics = Metrics()
    refresh = made(cache="refresh", cost_nanousd=2_000_000_000)
    metrics.observe([hit(), hit(saved_nanousd=None), made(), made(cache="bypass"), refresh])
    lookups = metrics.family(cache_catalogue.CACHE_LOOKUPS)
    assert [lookups.cell(*EXACT, it).total for it in ("hit", "miss")] == [2, 2]
    assert metrics.family(cache_catalogue.CACHE_HIT_SECONDS).cell(*EXACT).total == 0.004
    assert metrics.family(cache_catalogue.CACHE_MISS_SECONDS).cell(*EXACT).total == 0.002
    assert metrics.family(cache_catalogue.CACHE_SAVED_SECONDS).cell(*EXACT).total == 0.8
    assert metrics.family(cache_catalogue.CACHE_SAVED_UNKNOWN).cell(*EXACT).total == 1
    assert metrics.family(cache_catalogue.CACHE_REFRESHED).cell(*EXACT).total == 2.0


def test_many_routes_are_forgotten_and_counted_on() -> None:
    metrics = Metrics()
    metrics.observe([made(route=str(number % 4200)) for number in range(4201)])
    assert metrics.family(cache_catalogue.CACHE_LOOKUPS).cell("0", "exact", "miss").total == 2
