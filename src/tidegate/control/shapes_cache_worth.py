"""Whether caches pay, over the control API; queries forbid unknown fields."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.core.cache import Tier
from tidegate.stats.worth import Advice

_Word = Annotated[str, Meta(min_length=1, max_length=1024)]
_Seconds = Annotated[float, Meta(gt=0, le=400 * 86_400.0)]


class WorthQuery(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A window that ends now."""

    since_s: _Seconds = 86_400.0
    route: _Word | None = None


class NetView(Struct, frozen=True):
    """Of the whole window, in dollars or seconds, and between what bounds it is."""

    value: float
    low: float
    high: float


class HitsJudged(Struct, frozen=True, omit_defaults=True):
    """How hits were judged, by judges that are calibrated, beside fresh answers; `low` and `high`
    bound the share of bad hits. Counts are what the sample is worth: not whole numbers."""

    judged: float
    bad: float
    low: float
    high: float
    fresh_judged: float
    fresh_bad: float


class TierWorth(Struct, frozen=True, omit_defaults=True):
    """One tier of a route. `lookups` are hits and misses; of a provider's prefix cache, requests
    that told, and `hit_rate` is the share of their input's tokens. Median seconds: `hit_p50_s` from
    a hit's arrival to its end, `miss_p50_s` what a miss waited for the tier. `saved_usd` is known
    only where what hits saved is; `spent_usd` of it went into asking anew for what was stale,
    `paid_usd` into lookups. `both` is the net of money and seconds, where a second has a price.
    `more` lookups may tell. `state` is where the loop has it. A semantic tier in
    `shadow` gives nothing yet."""

    route: str
    tier: Tier | Literal["prefix"]
    lookups: int
    hits: int
    advice: Advice | Literal["shadow"]
    hit_rate: float | None = None
    hit_p50_s: float | None = None
    miss_p50_s: float | None = None
    saved_usd: float | None = None
    saved_s: float | None = None
    spent_usd: float = 0.0
    paid_usd: float | None = None
    money: NetView | None = None
    seconds: NetView | None = None
    both: NetView | None = None
    quality: HitsJudged | None = None
    more: int | None = None
    floor: float | None = None
    state: Literal["on", "trial", "raised", "off"] | None = None
    until_s: float | None = None


class WorthPage(Struct, frozen=True):
    """`complete` False: of prefix caches only the newest requests of the window were read.
    `unknown`: the route that was asked for, where the plan has none of that name."""

    tiers: list[TierWorth]
    complete: bool = True
    unknown: str | None = None
