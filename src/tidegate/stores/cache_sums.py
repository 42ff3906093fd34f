"""What tiers of caches come to, as it is kept: added to the rows of its five minutes and its hour,
and read as blocks and as windows."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from msgspec import Struct, field
from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select

from tidegate.core.cache import Tier
from tidegate.core.cache_worth import BLOCK_S, SUMS, CacheBin, CacheKey, CacheSums
from tidegate.stats.histogram import merge
from tidegate.stores import database
from tidegate.stores.schema_cache import cache_sums
from tidegate.stores.signal_rows import histogram_of, packed_histogram

HOUR_S: Final = 3600
_DAY_S: Final = 86_400.0
SPANS_S: Final = (BLOCK_S, HOUR_S)
# A tier is judged by at most seven days of blocks.
KEPT_S: Final = {BLOCK_S: 8 * _DAY_S, HOUR_S: 400 * _DAY_S}
_PART_ROWS: Final = 1000
_KEY: Final = ("span_s", "start_s", "route", "tier", "team", "node")
# No column takes more.
_MOST: Final = 2**62

_c = cache_sums.c
_Slot = tuple[int, int, str, str, str]


class Which(NamedTuple):
    """What is asked for: since when and, exclusively, until when; of one route or team."""

    since_s: float
    until_s: float
    route: str | None = None
    team: str | None = None


class Window(Struct):
    """A route's tier. `blocks` are those of which something is known, the oldest first, of `span_s`
    each; the first began at `first_s`."""

    route: str
    tier: Tier
    span_s: int
    first_s: int
    blocks: list[CacheSums] = field(default_factory=list)
    hit_s: dict[int, int] = field(default_factory=dict)
    miss_s: dict[int, int] = field(default_factory=dict)


def add(connection: Connection, node: str, bins: Mapping[CacheKey, CacheBin]) -> None:
    """What is new of this recorder, in the transaction that marks its receipts."""
    slots: dict[_Slot, CacheBin] = {}
    for key, one in bins.items():
        for span_s in SPANS_S:
            start_s = key.start_s - key.start_s % span_s
            whole = slots.setdefault((span_s, start_s, *key[1:]), CacheBin())
            _merge(whole, one)
    for slot, whole in slots.items():
        _merge_stored(connection, slot, node, whole)
    rows = [_row(slot, node, whole) for slot, whole in slots.items()]
    for at in range(0, len(rows), _PART_ROWS):
        adding = database.upsert(connection, cache_sums)
        changed = {it.name: adding.excluded[it.name] for it in _c if it.name not in _KEY}
        keys = [_c[name] for name in _KEY]
        connection.execute(
            adding.on_conflict_do_update(index_elements=keys, set_=changed),
            rows[at : at + _PART_ROWS],
        )


def blocks_since(
    connection: Connection, span_s: int, since_s: float, until_s: float, routes: Iterable[str]
) -> dict[tuple[str, str], list[tuple[int, CacheSums]]]:
    """By route and tier the spans that began since and ended by then, each with its beginning, the
    oldest first, of all teams and recorders."""
    sums = [func.sum(_c[name]) for name in SUMS]
    query = (
        select(_c.route, _c.tier, _c.start_s, *sums)
        .where(_c.span_s == span_s, _c.start_s >= since_s, _c.start_s <= until_s - span_s)
        .where(_c.route.in_(list(routes)))
        .group_by(_c.route, _c.tier, _c.start_s)
        .order_by(_c.start_s)
    )
    found: dict[tuple[str, str], list[tuple[int, CacheSums]]] = {}
    for route, tier, start_s, *values in connection.execute(query):
        one = CacheSums(*map(int, values))
        found.setdefault((route, tier), []).append((start_s, one))
    return found


def windows(engine: Engine, which: Which) -> list[Window]:
    """By route and tier, in their order. What is older than blocks are kept is told by the hour."""
    span_s = HOUR_S if which.until_s - which.since_s > KEPT_S[BLOCK_S] - _DAY_S else BLOCK_S
    asked: list[ColumnElement[bool]] = [
        _c.span_s == span_s,
        _c.start_s >= which.since_s - which.since_s % span_s,
        _c.start_s < which.until_s,
    ]
    asked += [
        _c[name] == value
        for name, value in (("route", which.route), ("team", which.team))
        if value is not None
    ]
    columns = [_c[name] for name in (*SUMS, "hit_s", "miss_s")]
    query = select(_c.route, _c.tier, _c.start_s, *columns).where(*asked)
    found: dict[tuple[str, str], Window] = {}
    by_start: dict[tuple[str, str, int], CacheBin] = {}
    with database.reading(engine) as connection:
        rows = connection.execute(query.order_by(_c.route, _c.tier, _c.start_s)).all()
    for route, tier, start_s, *values in rows:
        found.setdefault((route, tier), Window(route, tier, span_s, start_s))
        _merge(by_start.setdefault((route, tier, start_s), CacheBin()), _bin(values))
    for (route, tier, _), one in by_start.items():
        window = found[route, tier]
        window.blocks.append(CacheSums(*one.sums))
        merge(window.hit_s, one.hit_s)
        merge(window.miss_s, one.miss_s)
    return list(found.values())


def drop_old(engine: Engine, now_s: float) -> None:
    """Delete rows that are older than they are kept, in short transactions."""
    for span_s, kept_s in KEPT_S.items():
        old = (_c.span_s == span_s) & (_c.start_s < now_s - kept_s)
        some = select(_c.start_s).where(old).order_by(_c.start_s).limit(_PART_ROWS)
        while True:
            with database.writing(engine) as connection:
                starts = connection.execute(some).scalars().all()
                if not starts:
                    break
                part = (_c.span_s == span_s) & (_c.start_s <= starts[-1])
                connection.execute(delete(cache_sums).where(part))


def _merge_stored(connection: Connection, slot: _Slot, node: str, whole: CacheBin) -> None:
    place = dict(zip(_KEY, (*slot, node), strict=True))
    columns = [_c[name] for name in (*SUMS, "hit_s", "miss_s")]
    query = select(*columns).where(*(_c[name] == value for name, value in place.items()))
    row = connection.execute(query).one_or_none()
    if row is not None:
        _merge(whole, _bin(row))


def _bin(row: Iterable[Any]) -> CacheBin:
    *sums, hit_s, miss_s = row
    hits, misses = (histogram_of(it) if it else {} for it in (hit_s, miss_s))
    return CacheBin(list(sums), hits, misses)


def _merge(whole: CacheBin, one: CacheBin) -> None:
    whole.sums = [min(a + b, _MOST) for a, b in zip(whole.sums, one.sums, strict=True)]
    merge(whole.hit_s, one.hit_s)
    merge(whole.miss_s, one.miss_s)


def _row(slot: _Slot, node: str, whole: CacheBin) -> dict[str, Any]:
    histograms = {
        name: packed_histogram(it) if it else None
        for name, it in (("hit_s", whole.hit_s), ("miss_s", whole.miss_s))
    }
    place = dict(zip(_KEY, (*slot, node), strict=True))
    return {**place, **dict(zip(SUMS, whole.sums, strict=True)), **histograms}
