"""Sums are added to their rows, and read by blocks and windows."""

from sqlalchemy import Engine, func, select

from tidegate.core.cache import Tier
from tidegate.core.cache_worth import BLOCK_S, SUMS, CacheBin, CacheKey, CacheSums
from tidegate.stats.histogram import bucket_of
from tidegate.stores import cache_sums, database
from tidegate.stores.cache_sums import HOUR_S, KEPT_S, Which
from tidegate.stores.schema_cache import cache_sums as table

HOUR = 1_790_002_800
EVER = Which(0.0, HOUR + 10 * HOUR_S)


def one(lookups: int = 2, hits: int = 1) -> CacheBin:
    values = CacheSums(lookups=lookups, hits=hits)
    return CacheBin([getattr(values, name) for name in SUMS], {bucket_of(0.001): hits}, {})


def add(
    engine: Engine, at_s: int, *, route: str = "faq", team: str = "", node: str = "", n: int = 2
) -> None:
    tier: Tier = "exact"
    with database.writing(engine) as connection:
        cache_sums.add(connection, node, {CacheKey(at_s, route, tier, team): one(n)})


def test_what_is_new_is_added_to_its_block_and_its_hour(engine: Engine) -> None:
    for at_s in (HOUR, HOUR, HOUR + BLOCK_S):
        add(engine, at_s)
    with database.reading(engine) as connection:
        blocks, hours = (
            cache_sums.blocks_since(connection, span_s, HOUR, HOUR + HOUR_S, ["faq"])
            for span_s in (BLOCK_S, HOUR_S)
        )
    two = CacheSums(lookups=4, hits=2)
    four = CacheSums(lookups=2, hits=1)
    assert blocks == {("faq", "exact"): [(HOUR, two), (HOUR + BLOCK_S, four)]}
    assert hours == {("faq", "exact"): [(HOUR, CacheSums(lookups=6, hits=3))]}


def test_a_block_is_read_once_it_is_over_and_of_the_routes_asked_for(engine: Engine) -> None:
    add(engine, HOUR)
    add(engine, HOUR, route="chat")
    with database.reading(engine) as connection:

        def names(until_s: float, *routes: str) -> list[str]:
            found = cache_sums.blocks_since(connection, BLOCK_S, HOUR, until_s, routes)
            return [route for route, _ in found]

        assert names(HOUR + BLOCK_S - 1, "faq") == []
        assert names(HOUR + BLOCK_S, "faq") == ["faq"]
        assert names(HOUR + BLOCK_S) == []


def test_windows_are_of_all_recorders_and_of_one_team_alone(engine: Engine) -> None:
    add(engine, HOUR, team="red", node="a")
    add(engine, HOUR, team="blue", node="b", n=5)
    [window] = cache_sums.windows(engine, EVER._replace(since_s=HOUR))
    assert (window.route, window.tier, window.span_s) == ("faq", "exact", BLOCK_S)
    assert window.blocks == [CacheSums(lookups=7, hits=2)]
    assert window.hit_s == {bucket_of(0.001): 2}
    [mine] = cache_sums.windows(engine, EVER._replace(since_s=HOUR, team="red"))
    assert mine.blocks == [CacheSums(lookups=2, hits=1)]
    assert cache_sums.windows(engine, EVER._replace(since_s=HOUR, route="chat")) == []


def test_a_long_window_is_told_by_the_hour(engine: Engine) -> None:
    for at_s in (HOUR, HOUR + BLOCK_S, HOUR + HOUR_S):
        add(engine, at_s)
    [window] = cache_sums.windows(engine, EVER)
    assert window.span_s == HOUR_S
    assert window.blocks == [CacheSums(lookups=4, hits=2), CacheSums(lookups=2, hits=1)]


def test_what_is_old_goes(engine: Engine) -> None:
    for at_s in (HOUR, HOUR + 20 * HOUR_S):
        add(engine, at_s)
    cache_sums.drop_old(engine, HOUR + KEPT_S[BLOCK_S] + 10 * HOUR_S)
    with database.reading(engine) as connection:
        counted = select(table.c.span_s, func.count()).group_by(table.c.span_s)
        rows = [tuple(row) for row in connection.execute(counted)]
    assert sorted(rows) == [(BLOCK_S, 1), (HOUR_S, 2)]
