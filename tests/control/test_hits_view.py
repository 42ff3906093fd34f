"""Kept answers added up for people: each tier by what there was of each bin."""

import pytest

from tidegate.control.hits_view import hits_view
from tidegate.core.declared_quality import DeclaredHits, DeclaredQuality
from tidegate.core.declared_routes import DeclaredRoute
from tidegate.stores.assessments import Ungraded
from tidegate.stores.captured_hits import Stratum
from tidegate.stores.judged_hits import FoundHits

ROUTE = DeclaredRoute(quality=DeclaredQuality(judge="referee", hits=DeclaredHits()))
EXACT = Stratum("exact", None, given=True, vetoed=False)
AWAY = Ungraded("faq", 5.0, "its judge is away")


def found(stratum: Stratum, captured: int, known: int, bad: int) -> FoundHits:
    return FoundHits("faq", stratum, "quality", captured, known, bad, 0, 0, 0)


def test_a_bin_weighs_as_much_as_there_is_of_it_however_often_it_was_judged() -> None:
    near = found(Stratum("semantic", 98, given=True, vetoed=False), 900, 20, 0)
    far = found(Stratum("semantic", 86, given=True, vetoed=False), 100, 20, 10)
    vetoed = found(Stratum("semantic", 90, given=False, vetoed=True), 500, 20, 20)
    view = hits_view([far, near, vetoed], ROUTE, None)
    assert view is not None
    [tier] = view.tiers
    assert (tier.tier, tier.given, tier.captured, tier.judged) == ("semantic", True, 1000, 40)
    assert tier.bad is not None
    assert tier.bad.share == pytest.approx(0.05) and tier.bad.low < 0.05 < tier.bad.high
    assert [it.bad and it.bad.share for it in view.strata] == [0.5, 0.0, 1.0]


def test_of_what_nobody_has_judged_nothing_is_known() -> None:
    view = hits_view([found(EXACT, 5, 0, 0)], ROUTE, AWAY)
    assert view is not None and view.unjudged == AWAY
    assert view.tiers[0].bad is None and view.strata[0].bad is None


def test_where_nobody_asks_for_it_nothing_is_said() -> None:
    assert hits_view([], DeclaredRoute(), AWAY) is None
    view = hits_view([found(EXACT, 5, 1, 0)], None, AWAY)
    assert view is not None and (view.is_judged, view.unjudged) == (False, None)
