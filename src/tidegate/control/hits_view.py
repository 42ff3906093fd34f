"""What was found of kept answers, added up for people."""

from collections.abc import Sequence

from tidegate.control.shapes_hits import HitShare, HitsView, HitView, TierView
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.stats.stratified import Part, overall, wilson
from tidegate.stores.assessments import Ungraded
from tidegate.stores.judged_hits import FoundHits


def hits_view(
    found: Sequence[FoundHits], route: DeclaredRoute | None, noted: Ungraded | None
) -> HitsView | None:
    """Of one route; None where it asks for nothing and nothing was found. What was noted before its
    declaration went away says nothing now."""
    is_judged = route is not None and route.quality is not None and route.quality.hits is not None
    if not is_judged and not found:
        return None
    judged = [it for it in found if it.assessed_as == "quality"]
    return HitsView(
        is_judged,
        noted if is_judged else None,
        _tiers(judged),
        [HitView(it, _plain(it)) for it in judged],
        [it for it in found if it.assessed_as != "quality"],
    )


def _tiers(judged: Sequence[FoundHits]) -> list[TierView]:
    """Without what a veto held back: nobody was to have it."""
    taken = [it for it in judged if not it.stratum.vetoed]
    whose = dict.fromkeys((it.stratum.tier, it.stratum.given) for it in taken)
    made = []
    for tier, given in whose:
        some = [it for it in taken if (it.stratum.tier, it.stratum.given) == (tier, given)]
        share = overall(Part(it.captured, it.known, it.bad) for it in some)
        bad = None if share is None else HitShare(*share)
        counts = sum(it.captured for it in some), sum(it.known for it in some)
        made.append(TierView(tier, given, *counts, bad))
    return made


def _plain(it: FoundHits) -> HitShare | None:
    return HitShare(it.bad / it.known, *wilson(it.bad, it.known)) if it.known else None
