"""How hits of a route's tiers were judged, beside its fresh answers."""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from msgspec.structs import replace
from sqlalchemy import Connection

from tidegate.controllers.cache_worth import View
from tidegate.core.cache import Tier
from tidegate.core.cache_worth import Judged, Quality
from tidegate.stores import assessments, judged_hits
from tidegate.stores.judged_hits import FoundHits
from tidegate.stores.signal_bins import HOUR_S

_SHADOW = "shadow"
_HUNDREDTHS = 100


def added_to(connection: Connection, view: View, since_s: float) -> View:
    """The view, with what judges found of requests since."""
    # Hits are counted by the hour: none of before is to be among them.
    found = of_route(connection, view.route, ceil(since_s / HOUR_S) * HOUR_S)
    tiers = tuple(
        replace(one, quality=found.get(one.tier, found[None])) if one.blocks else one
        for one in view.tiers
    )
    return replace(view, tiers=tiers)


def of_route(connection: Connection, route: str, since_s: float) -> Mapping[Tier | None, Quality]:
    """By tier; None: of one of which no hit was judged. What judges say of hits that are not
    calibrated only informs people (`hits_view`)."""
    counted = assessments.counted(connection, route=route, since_s=since_s)
    of = [it for it in counted if it.assessed_as == "quality" and it.arm != _SHADOW]
    fresh = Judged(sum(it.known for it in of), sum(it.bad for it in of))
    by_tier: dict[Tier, list[FoundHits]] = {}
    for one in judged_hits.found(connection, route, since_s, decided=True):
        if one.assessed_as == "quality" and one.stratum.given:
            by_tier.setdefault(one.stratum.tier, []).append(one)
    return {
        None: Quality(fresh=fresh),
        **{tier: _quality(strata, fresh) for tier, strata in by_tier.items()},
    }


def _quality(strata: Iterable[FoundHits], fresh: Judged) -> Quality:
    several = list(strata)
    by_score: dict[float, Judged] = {}
    for one in several:
        if one.stratum.score_bin is not None and one.known:
            by_score[one.stratum.score_bin / _HUNDREDTHS] = Judged(one.known, one.bad)
    return Quality(
        _weighed(several),
        fresh,
        tuple(sorted(by_score.items())),
        sum(it.cost_nanousd for it in several),
    )


def _weighed(strata: Sequence[FoundHits]) -> Judged:
    """Each bin of scores counts for as much as there was of it, however many of it were judged,
    and the sample for as much as Kish's formula leaves of it."""
    known = [it for it in strata if it.known]
    whole = sum(it.captured for it in known)
    if not whole:
        return Judged()
    parts = [(it.captured / whole, it.known, it.bad) for it in known]
    share = sum(part * bad / judged for part, judged, bad in parts)
    worth = 1 / sum(part * part / judged for part, judged, _ in parts)
    return Judged(worth, share * worth)
