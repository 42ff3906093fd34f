"""What each tier of each route's cache comes to over a window, for people."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace
from sqlalchemy import Engine

from tidegate.control import cache_quality
from tidegate.control.shapes_cache_worth import HitsJudged, NetView, TierWorth, WorthPage
from tidegate.controllers import cache_worth
from tidegate.controllers.cache_worth import Memory, Place, may_hold, read_memory
from tidegate.core.cache import Tier
from tidegate.core.cache_worth import Quality, Worth
from tidegate.core.declared_cache import DeclaredCache
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.core.prefix_sums import PrefixSums
from tidegate.stats.histogram import quantile
from tidegate.stats.worth import Advice, Finding, Net, found
from tidegate.stores import cache_sums, database, decisions
from tidegate.stores.cache_sums import Which, Window
from tidegate.stores.prefixes import prefix_sums
from tidegate.stores.receipts import Filter

_NANO = 1e-9
_MICRO = 1e-6
_HOUR_S = 3600.0
_MEDIAN = 0.5
_NOTHING = Quality()


def report(engine: Engine, which: Which, declared: Mapping[str, DeclaredRoute]) -> WorthPage:
    """By route and tier. A team sees its own requests, and nothing of how answers were judged.
    StoreError."""
    windows = cache_sums.windows(engine, which)
    known: dict[str, Memory] = {}
    judged: dict[str, Mapping[Tier | None, Quality]] = {}
    if which.team is None:
        with database.reading(engine) as connection:
            of_all = decisions.remembered(connection, cache_worth.plug.name)
            known = {route: read_memory(it.memory) for route, it in of_all.items()}
            for route in {one.route for one in windows}:
                judged[route] = cache_quality.of_route(connection, route, which.since_s)
    tiers = []
    for one in windows:
        of = judged.get(one.route, {None: _NOTHING})
        quality = of.get(one.tier, of[None])
        cache = declared[one.route].cache if one.route in declared else None
        worth = Worth() if cache is None else cache.worth.worth()
        if which.team is not None:
            worth = replace(worth, store_usd_per_h=None)
        place = known.get(one.route, Memory()).tiers.get(one.tier)
        # Before it was first looked for, it was perhaps not declared.
        row = _row(one, worth, quality, which.until_s - max(which.since_s, one.first_s))
        if _is_shadow(one, cache):
            row = replace(row, advice="shadow", more=None)
        tiers.append(row if place is None else _with_state(row, place, worth))
    of_prefixes = Filter(which.since_s, which.until_s, route=which.route, team=which.team)
    sums, complete = prefix_sums(engine, of_prefixes)
    return WorthPage(sorted([*tiers, *_prefixes(sums)], key=lambda it: it.route), complete)


def _row(window: Window, worth: Worth, quality: Quality, lasted_s: float) -> TierWorth:
    finding = found(window.blocks, worth, quality, lasted_s)
    sums, times = finding.sums, finding.sums.lookups
    known = sums.hits > sums.saved_unknown or not sums.hits
    return TierWorth(
        route=window.route,
        tier=window.tier,
        lookups=sums.lookups,
        hits=sums.hits,
        advice=finding.advice,
        hit_rate=sums.hits / sums.lookups if sums.lookups else None,
        hit_p50_s=quantile(window.hit_s, _MEDIAN),
        miss_p50_s=quantile(window.miss_s, _MEDIAN),
        saved_usd=sums.saved_nanousd * _NANO if known else None,
        saved_s=(sums.saved_us - sums.hit_us) * _MICRO,
        spent_usd=sums.spent_nanousd * _NANO,
        paid_usd=sums.lookup_us * _MICRO * worth.usd_per_cpu_h / _HOUR_S,
        money=_net(finding.money, times),
        seconds=_net(finding.seconds, times),
        both=_net(finding.both, times),
        quality=_quality(finding, quality),
        more=finding.more,
        floor=finding.floor,
    )


def _is_shadow(window: Window, cache: DeclaredCache | None) -> bool:
    semantic = None if cache is None or window.tier != "semantic" else cache.semantic
    return semantic is not None and semantic.mode == "shadow"


def _with_state(row: TierWorth, place: Place, worth: Worth) -> TierWorth:
    """Of what is only proposed nothing is held."""
    held = place.state in ("off", "raised")
    if held and not may_hold(worth, row.tier, place):
        return row
    return replace(row, state=place.state, until_s=place.until_s if held else None)


def _net(net: Net | None, times: int) -> NetView | None:
    return None if net is None else NetView(net.value * times, net.low * times, net.high * times)


def _quality(finding: Finding, quality: Quality) -> HitsJudged | None:
    if finding.bad_hits is None:
        return None
    hits, fresh = quality.hits, quality.fresh
    return HitsJudged(hits.judged, hits.bad, *finding.bad_hits, fresh.judged, fresh.bad)


def _prefixes(several: Iterable[PrefixSums]) -> list[TierWorth]:
    """A provider looks by itself, and what it saves is net of what it charges for keeping."""
    by_route: dict[str, list[PrefixSums]] = {}
    for one in several:
        by_route.setdefault(one.route, []).append(one)
    return [_prefix(route, of) for route, of in by_route.items()]


def _prefix(route: str, of: list[PrefixSums]) -> TierWorth:
    told = sum(it.requests - it.untold for it in of)
    tokens, read = sum(it.told_tokens for it in of), sum(it.read_tokens for it in of)
    unknown = sum(it.saved_unknown for it in of)
    saved_usd = sum(it.saved_nanousd for it in of) * _NANO
    known = told > unknown
    advice: Advice = "unknown"
    if known:
        advice = "pays" if saved_usd > 0 else "does not pay" if saved_usd < 0 else "too early"
    return TierWorth(
        route=route,
        tier="prefix",
        lookups=told,
        hits=0,
        advice=advice,
        hit_rate=read / tokens if tokens else None,
        saved_usd=saved_usd if known else None,
        money=NetView(saved_usd, saved_usd, saved_usd) if known else None,
    )
