"""What is known of a route's tiers, what is remembered of them, and how that is told."""

from typing import Final, Literal

from msgspec import Struct, field

from tidegate.core.cache import Tier
from tidegate.core.cache_worth import CacheSums, Quality, Worth
from tidegate.core.signal import NoData, Signal, Value
from tidegate.stats.worth import Finding, Net

# What turns a tier off. Chunks are asked for by applications themselves.
OFF: Final[dict[str, str]] = {
    "exact": "exact_cache_off",
    "semantic": "semantic_cache_off",
    "embeddings": "embeddings_cache_off",
}
FLOOR: Final = "semantic_threshold_floor"
_MILLI: Final = 1e3
_MILLION: Final = 1e6


class TierSeen(Struct, frozen=True, omit_defaults=True):
    """`blocks` are all with a lookup since its place's `since_s`, the oldest first; () while there
    is nothing new. `warm_s` is how long it takes until a tier that was empty has what it keeps."""

    tier: Tier
    warm_s: float = 0.0
    blocks: tuple[CacheSums, ...] = ()
    quality: Quality = Quality()


class View(Struct, frozen=True, omit_defaults=True):
    """A route. Times are wall-clock seconds."""

    route: str
    now_s: float
    worth: Worth
    tiers: tuple[TierSeen, ...] = ()


class Place(Struct, frozen=True, omit_defaults=True):
    """Where a tier stands. Evidence is gathered from `since_s` on, of how its hits
    were judged, which are few, from `judged_s` on. `off`: it does not pay, and is
    tried again at `until_s`; `raised`: so long its threshold is at least `floor`. `failures` in a
    row make that longer. `why` and `evidence` are what it was decided by."""

    since_s: float
    judged_s: float
    state: Literal["on", "trial", "raised", "off"] = "on"
    until_s: float = 0.0
    failures: int = 0
    floor: float | None = None
    why: str = ""
    evidence: tuple[Signal, ...] = ()


class Memory(Struct, frozen=True, omit_defaults=True):
    """By tier."""

    tiers: dict[str, Place] = field(default_factory=dict)


def evidence(view: View, tier: Tier, finding: Finding) -> tuple[Signal, ...]:
    """The readings that a tier was judged by. What nobody knows is said to be so."""
    sums, scope, window_s = finding.sums, f"{view.route}/{tier}", view.worth.window_s

    def told(name: str, unit: str, value: float | None) -> Signal:
        reading = NoData("missing") if value is None else Value(float(f"{value:.4g}"))
        return Signal(name, unit, scope, window_s, reading)

    hit_rate = sums.hits / sums.lookups if sums.lookups else None
    found = [
        told("cache_lookups", "1", float(sums.lookups)),
        told("cache_hit_rate", "share", hit_rate),
    ]
    for name, unit, net in (
        ("cache_net_usd", "USD", finding.money),
        ("cache_net_s", "s", finding.seconds),
        ("cache_net_both_usd", "USD", finding.both),
    ):
        if name != "cache_net_both_usd" or view.worth.usd_per_s is not None:
            values = (None,) * 3 if net is None else (net.value, net.low, net.high)
            for suffix, value in zip(("", "_low", "_high"), values, strict=True):
                found.append(told(f"{name}_per_lookup{suffix}", unit, value))
    if finding.bad_hits is not None and finding.bad_fresh is not None:
        found.append(told("cache_bad_hits_low", "share", finding.bad_hits.low))
        found.append(told("cache_bad_fresh_high", "share", finding.bad_fresh.high))
    return tuple(found)


def why(view: View, tier: Tier, finding: Finding) -> str:
    """One sentence for people."""
    sums = finding.sums
    parts = [f"{sums.hits} of {sums.lookups} lookups of {tier} answers were hits"]
    if finding.advice == "wrong answers" and finding.bad_hits and finding.bad_fresh:
        parts.append(
            f"at least {finding.bad_hits.low:.1%} of them are bad, of fresh answers at most "
            f"{finding.bad_fresh.high:.1%}"
        )
        return ", ".join(parts)
    if finding.both is not None:
        parts.append(f"a million of them net {_usd(finding.both)} by all that is priced")
    else:
        if finding.money is not None:
            parts.append(f"a million of them net {_usd(finding.money)}")
        if finding.seconds is not None:
            net = finding.seconds
            low, high = net.low * _MILLI, net.high * _MILLI
            parts.append(f"each nets {net.value * _MILLI:.3g} ms ({low:.3g} to {high:.3g})")
    return ", ".join(parts)


def _usd(net: Net) -> str:
    value, low, high = (it * _MILLION for it in (net.value, net.low, net.high))
    return f"{value:.3g} USD ({low:.3g} to {high:.3g})"
