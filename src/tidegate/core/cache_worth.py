"""What a route's cache is worth: what its operators say things cost, and what receipts add up to.

A tier's sums are by five minutes, route, tier and team. Two are merged by adding.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from msgspec import Struct, field

from tidegate.core.cache import Tier

BLOCK_S: Final = 300
# off: nobody judges it. propose: people are told. act: a tier that does not pay is turned off.
Mode = Literal["off", "propose", "act"]
# Of requests, or of the items of embeddings. `lookups` are hits and misses. Microseconds: `hit_us`
# hits from their arrival to their end, `saved_us` what their answers had taken first, `lookup_us`
# the tier's part of every request, `miss_us` of those that found nothing. Nano-dollars:
# `saved_nanousd` of hits, of which for `saved_unknown` nobody knows it, `spent_nanousd` on asking
# anew for what was stale. `missed` are misses that were answered at a known cost, `missed_nanousd`
# and `missed_us`: what a hit in their place would have saved.
SUMS: Final = (
    "lookups",
    "hits",
    "hit_us",
    "saved_us",
    "saved_nanousd",
    "saved_unknown",
    "spent_nanousd",
    "lookup_us",
    "miss_us",
    "missed",
    "missed_nanousd",
    "missed_us",
)


class CacheKey(NamedTuple):
    """Whose a bin is. `start_s` is the wall-clock second at which its block begins; names that a
    receipt lacks are empty."""

    start_s: int
    route: str
    tier: Tier
    team: str


class CacheBin(Struct):
    """`sums` are in the order of `SUMS`; of seconds of hits, and of the lookups of misses, there
    are histograms (`stats.histogram`)."""

    sums: list[int] = field(default_factory=lambda: [0] * len(SUMS))
    hit_s: dict[int, int] = field(default_factory=dict)
    miss_s: dict[int, int] = field(default_factory=dict)


class CacheSums(Struct, frozen=True):
    """`SUMS` by their names: of a block, or of a window."""

    lookups: int = 0
    hits: int = 0
    hit_us: int = 0
    saved_us: int = 0
    saved_nanousd: int = 0
    saved_unknown: int = 0
    spent_nanousd: int = 0
    lookup_us: int = 0
    miss_us: int = 0
    missed: int = 0
    missed_nanousd: int = 0
    missed_us: int = 0


class Worth(Struct, frozen=True, omit_defaults=True):
    """By what a route's tiers are judged.

    `usd_per_s` is what a second that a caller does not wait is worth: None, money and seconds are
    judged apart. `usd_per_cpu_h` is the price of what lookups take. `store_usd_per_h` is the
    route's part of a shared store, `wrong_answer_usd` what a wrong answer costs, None: not counted.
    `most_wrong` is how much more often hits may be bad than fresh answers, a share. Of fewer than
    `least` lookups nothing is concluded; what has been concluded stands for `window_s`. A tier that
    was turned off is tried again after `retry_s`, then twice as long, up to `MOST_OFF_S`.
    """

    mode: Mode = "propose"
    usd_per_s: float | None = None
    usd_per_cpu_h: float = 0.05
    store_usd_per_h: float | None = None
    wrong_answer_usd: float | None = None
    most_wrong: float = 0.05
    window_s: float = 6 * 3600.0
    least: int = 500
    retry_s: float = 86_400.0


MOST_OFF_S: Final = 14 * 86_400.0


class Judged(Struct, frozen=True, omit_defaults=True):
    """How many answers were judged, and how many of them were bad. Of a sample that has more of
    one kind than there was, as many as it is worth: not whole numbers."""

    judged: float = 0
    bad: float = 0


class Quality(Struct, frozen=True, omit_defaults=True):
    """How a tier's hits were judged, and beside them fresh answers of the same route. `by_score`
    are hits by the least cosine of their bin, ascending. `cost_nanousd` is what judging hits
    cost."""

    hits: Judged = Judged()
    fresh: Judged = Judged()
    by_score: tuple[tuple[float, Judged], ...] = ()
    cost_nanousd: int = 0


def added(several: Sequence[CacheSums]) -> CacheSums:
    """All of them together."""
    return CacheSums(*(sum(getattr(one, name) for one in several) for name in SUMS))
