"""What is found of kept answers, over the control API. Shares are of bad ones, with intervals of
95 %."""

from msgspec import Struct

from tidegate.core.cache import Tier
from tidegate.stores.assessments import Ungraded
from tidegate.stores.judged_hits import FoundHits


class HitShare(Struct, frozen=True):
    """`covered`: of how large a share of them it is known."""

    share: float
    low: float
    high: float
    covered: float = 1.0


class HitView(Struct, frozen=True):
    """What was found of one stratum; `bad` None while nothing is known."""

    found: FoundHits
    bad: HitShare | None


class TierView(Struct, frozen=True):
    """All of one tier that were given, or that would have been (`given` false), each bin of scores
    weighing as much as there are of it; `bad` None while nobody knows. `captured` are all that
    there were to be judged, `judged` those of which a judge has said something."""

    tier: Tier
    given: bool
    captured: int
    judged: int
    bad: HitShare | None


class HitsView(Struct, frozen=True):
    """Kept answers of a route. `unjudged` None: they are judged as declared, where they are at all
    (`is_judged`). `others` are of thumbs down and of having to ask again."""

    is_judged: bool
    unjudged: Ungraded | None
    tiers: list[TierView]
    strata: list[HitView]
    others: list[FoundHits]
