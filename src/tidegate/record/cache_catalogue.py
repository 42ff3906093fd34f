"""Every metric that tells what caches did, ours and providers'."""

from tidegate.record.measures import GATEWAY_S, counter, histogram
from tidegate.record.series import Labels, Spec

_OF_TIER: Labels = ("route", "tier")
_OF_PREFIX: Labels = ("route", "prompt_version", "target")

PREFIX_TOKENS = Spec(
    "tidegate_prefix_input_tokens_total",
    "counter",
    "tokens",
    "Input of requests whose provider told what its prefix cache had of it, by class: read, "
    "written, plain.",
    (*_OF_PREFIX, "class"),
    ("class",),
)
PREFIX_UNTOLD = Spec(
    "tidegate_prefix_untold_total",
    "counter",
    "requests",
    "Requests with input of which nobody told what a prefix cache had.",
    _OF_PREFIX,
)
PREFIX_SAVED = Spec(
    "tidegate_prefix_saved_usd_total",
    "counter",
    "US dollars",
    "Known saving of requests that the prefix cache made cheaper, net of their writes to it.",
    _OF_PREFIX,
)
PREFIX_LOST = Spec(
    "tidegate_prefix_lost_usd_total",
    "counter",
    "US dollars",
    "What requests cost more for the prefix cache: their writes to it beyond what they read.",
    _OF_PREFIX,
)
PREFIX_SAVED_UNKNOWN = Spec(
    "tidegate_prefix_saved_unknown_total",
    "counter",
    "requests",
    "Requests that read from or wrote to a prefix cache, and nobody knows what that saved.",
    _OF_PREFIX,
)
CACHE_SAVED = counter(
    "tidegate_cache_saved_usd_total",
    "US dollars",
    "What kept answers had cost that were given again, by the tier that found them.",
    "tier",
)
CACHE_LOOKUPS = Spec(
    "tidegate_cache_tier_lookups_total",
    "counter",
    "answers",
    "Answers, or vectors of items, that a tier looked for, by what came of it: hit, miss.",
    (*_OF_TIER, "outcome"),
    ("tier", "outcome"),
)
CACHE_HIT_SECONDS = histogram(
    "tidegate_cache_hit_seconds",
    "seconds",
    "Time from the arrival of a request that had a kept answer to its end.",
    GATEWAY_S,
    _OF_TIER,
)
CACHE_MISS_SECONDS = histogram(
    "tidegate_cache_miss_seconds",
    "seconds",
    "What requests waited for a tier that had nothing for them.",
    GATEWAY_S,
    _OF_TIER,
)
CACHE_SAVED_SECONDS = Spec(
    "tidegate_cache_saved_seconds_total",
    "counter",
    "seconds",
    "What kept answers had taken that were given again; hits and misses took a part of it.",
    _OF_TIER,
    ("tier",),
)
CACHE_SAVED_UNKNOWN = Spec(
    "tidegate_cache_saved_unknown_total",
    "counter",
    "answers",
    "Kept answers that were given of which nobody knows what they had cost.",
    _OF_TIER,
    ("tier",),
)
CACHE_REFRESHED = Spec(
    "tidegate_cache_refresh_usd_total",
    "counter",
    "US dollars",
    "What it cost to ask anew for what was stale.",
    _OF_TIER,
    ("tier",),
)

ALL: tuple[Spec, ...] = (
    PREFIX_TOKENS,
    PREFIX_UNTOLD,
    PREFIX_SAVED,
    PREFIX_LOST,
    PREFIX_SAVED_UNKNOWN,
    CACHE_SAVED,
    CACHE_LOOKUPS,
    CACHE_HIT_SECONDS,
    CACHE_MISS_SECONDS,
    CACHE_SAVED_SECONDS,
    CACHE_SAVED_UNKNOWN,
    CACHE_REFRESHED,
)
