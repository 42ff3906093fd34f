"""Does a tier of a cache pay? Its net by lookup, with bounds that hold however often one looks.

    net = hit rate x what a hit saves - what a lookup costs

in dollars, in seconds, or in both where a second has a price. The hit rate and what a hit saves are
bounded apart, for hits are rare and worth much: while none was seen, a mean of all lookups would be
sure of what nobody knows, and what a lookup costs is bounded too, as a store may be slow for a
while. What comes together (five minutes of one route) counts for as much as it varies between such
blocks, and between runs of them: a quiet hour is followed by another. While there are few hits, one
is taken to save up to `FEW_SAVE` times what a miss costs.
"""

from collections.abc import Sequence
from math import ceil, inf
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from tidegate.core.cache_worth import CacheSums, Judged, Quality, Worth, added
from tidegate.stats import any_time
from tidegate.stats.any_time import Interval

Advice = Literal["pays", "does not pay", "mixed", "too early", "wrong answers", "unknown"]
ALPHA: Final = 0.01
LEAST_BLOCKS: Final = 12
LEAST_HITS: Final = 30
LEAST_HIT_BLOCKS: Final = 6
_LEAST_RUNS: Final = 12
FEW_SAVE: Final = 2.0
# Where of more hits nobody knows what they saved, nobody knows what the tier saves.
_MOST_UNKNOWN: Final = 0.1
_HOUR_S: Final = 3600.0
_NANO: Final = 1e-9
_MICRO: Final = 1e-6
_MOST_MORE: Final = 1_000_000_000


class Net(Struct, frozen=True):
    """A lookup's net, in its currency, and between what bounds it is."""

    value: float
    low: float
    high: float


class Finding(Struct, frozen=True, omit_defaults=True):
    """What is known of a tier. `money` (USD a lookup) and `seconds` are None where nothing is known
    of them, `both` (USD) where a second has no price. `more` lookups may tell, as far as that can
    be foreseen. `bad_hits` and `bad_fresh` bound the shares of bad answers. `floor` is the least
    cosine from which on hits are good enough; None: from none on, or nobody asked."""

    advice: Advice
    sums: CacheSums
    money: Net | None = None
    seconds: Net | None = None
    both: Net | None = None
    more: int | None = None
    bad_hits: Interval | None = None
    bad_fresh: Interval | None = None
    floor: float | None = None


class _Amounts(NamedTuple):
    """What a block's hits won, what was paid for its lookups and for asking anew, and what its
    misses would have won as hits."""

    won: float
    paid: float
    missed: float


def found(
    blocks: Sequence[CacheSums],
    worth: Worth,
    quality: Quality,
    lasted_s: float = 0.0,
    alpha: float = ALPHA,
) -> Finding:
    """Of one window that lasted so long: `blocks` are those in which there was a lookup."""
    sums = added(blocks)
    bad_hits, bad_fresh = _bad(quality.hits, alpha), _bad(quality.fresh, alpha)
    money_of, price = [_money(one, worth) for one in blocks], worth.usd_per_s
    seconds_of = [_seconds(one) for one in blocks]
    # What a store costs whoever looks anything up, and judging.
    extra = (worth.store_usd_per_h or 0.0) * lasted_s / _HOUR_S + quality.cost_nanousd * _NANO
    wrong = _wrong(worth, quality, bad_hits, bad_fresh)
    money = both = None
    if sums.saved_unknown <= _MOST_UNKNOWN * sums.hits:
        known = sums.hits / (sums.hits - sums.saved_unknown) if sums.hits else 1.0
        scaled = [_Amounts(won * known, paid, missed) for won, paid, missed in money_of]
        money = _net(blocks, scaled, extra, wrong, alpha)
        if price is not None:
            summed = [
                _Amounts(*(a + price * b for a, b in zip(one, other, strict=True)))
                for one, other in zip(scaled, seconds_of, strict=True)
            ]
            both = _net(blocks, summed, extra, wrong, alpha)
    seconds = _net(blocks, seconds_of, 0.0, Net(0.0, 0.0, 0.0), alpha)
    advice = _advice(worth, (money, seconds, both), sums, len(blocks))
    floor = None
    if _is_wrong(bad_hits, bad_fresh, worth):
        advice, floor = "wrong answers", _floor(quality, bad_fresh, worth, alpha)
    more = None
    if advice == "too early":
        more = _more(sums, worth, [both] if both is not None else [money, seconds])
    if not quality.hits.judged:
        return Finding(advice, sums, money, seconds, both, more)
    return Finding(advice, sums, money, seconds, both, more, bad_hits, bad_fresh, floor)


def _money(one: CacheSums, worth: Worth) -> _Amounts:
    # What was stale is asked for a while later, perhaps in a block without a hit.
    paid = one.lookup_us * _MICRO * worth.usd_per_cpu_h / _HOUR_S + one.spent_nanousd * _NANO
    return _Amounts(one.saved_nanousd * _NANO, paid, one.missed_nanousd * _NANO)


def _seconds(one: CacheSums) -> _Amounts:
    won = (one.saved_us - one.hit_us) * _MICRO
    return _Amounts(won, one.miss_us * _MICRO, one.missed_us * _MICRO)


def _bad(one: Judged, alpha: float) -> Interval:
    return any_time.share(one.judged, one.bad, alpha / 2)


def _wrong(worth: Worth, quality: Quality, hits: Interval, fresh: Interval) -> Net:
    """Dollars that a hit loses by being bad more often than a fresh answer."""
    usd = worth.wrong_answer_usd
    if usd is None:
        return Net(0.0, 0.0, 0.0)
    excess = 0.0
    if quality.hits.judged and quality.fresh.judged:
        share = quality.fresh.bad / quality.fresh.judged
        excess = max(quality.hits.bad / quality.hits.judged - share, 0.0)
    low, high = max(hits.low - fresh.high, 0.0), max(hits.high - fresh.low, 0.0)
    return Net(usd * excess, usd * low, usd * high)


def _is_wrong(hits: Interval, fresh: Interval, worth: Worth) -> bool:
    """Whether hits are bad more often than they may, whatever the luck of the sample."""
    return hits.low - fresh.high > worth.most_wrong


def _floor(quality: Quality, fresh: Interval, worth: Worth, alpha: float) -> float | None:
    """The least cosine from which on hits are surely not bad more often than they may."""
    judged = bad = 0.0
    best = None
    for score, one in reversed(quality.by_score):
        judged, bad = judged + one.judged, bad + one.bad
        if any_time.share(judged, bad, alpha / 2).high <= fresh.low + worth.most_wrong:
            best = score
    lowest = quality.by_score[0][0] if quality.by_score else None
    return None if best == lowest else best


def _net(
    blocks: Sequence[CacheSums],
    amounts: Sequence[_Amounts],
    extra: float,
    wrong: Net,
    alpha: float,
) -> Net | None:
    """None while nothing tells what a hit saves, or hardly anything is known at all."""
    n, k = sum(one.lookups for one in blocks), sum(one.hits for one in blocks)
    if not n or len(blocks) < 2:
        return None
    rate, alpha = k / n, alpha / 3
    hits = _of_hits(blocks, amounts, alpha)
    if hits is None:
        return None
    shares, price = _rate(blocks, n, k, alpha), _price(blocks, amounts, n, alpha)
    value, low, high = hits.value - wrong.value, hits.low - wrong.high, hits.high - wrong.low
    return Net(
        rate * value - price.value - extra / n,
        min(shares.low * low, shares.high * low) - price.high - extra / n,
        max(shares.low * high, shares.high * high) - price.low - extra / n,
    )


def _rate(blocks: Sequence[CacheSums], n: int, k: int, alpha: float) -> Interval:
    """Of hits, with as many lookups as these are worth by how the rate varies from block to
    block."""
    rate, effect = k / n, 1.0
    if 0 < k < n:
        spread = _spread([one.hits - rate * one.lookups for one in blocks])
        effect = max(spread / (n * rate * (1 - rate)), 1.0)
    return any_time.share(n / effect, k / effect, alpha)


def _price(blocks: Sequence[CacheSums], amounts: Sequence[_Amounts], n: int, alpha: float) -> Net:
    """What a lookup costs."""
    value = sum(it.paid for it in amounts) / n
    spread = _spread(
        [it.paid - value * one.lookups for one, it in zip(blocks, amounts, strict=True)]
    )
    low, high = any_time.mean(value, spread / n, n, alpha)
    return Net(value, max(low, 0.0), high)


def _spread(off: Sequence[float]) -> float:
    """How far the sum of what blocks are off by may be off, squared. What follows each other may be
    alike: the most that runs of 1, 2, 4 and more blocks tell, as long as there are some runs."""
    most, run = 0.0, 1
    while run == 1 or len(off) >= _LEAST_RUNS * run:
        sums = [sum(off[at : at + run]) for at in range(0, len(off), run)]
        most = max(most, sum(it * it for it in sums) * len(sums) / (len(sums) - 1))
        run *= 2
    return most


def _of_hits(blocks: Sequence[CacheSums], amounts: Sequence[_Amounts], alpha: float) -> Net | None:
    """What a hit saves."""
    with_hits = [(one.hits, it.won) for one, it in zip(blocks, amounts, strict=True) if one.hits]
    k = sum(hits for hits, _ in with_hits)
    value = sum(won for _, won in with_hits) / k if k else 0.0
    if k >= LEAST_HITS and len(with_hits) >= LEAST_HIT_BLOCKS:
        spread = _spread([won - value * hits for hits, won in with_hits])
        return Net(value, *any_time.mean(value, spread / k, k, alpha))
    missed = sum(one.missed for one in blocks)
    if not missed:
        return None
    as_miss = sum(one.missed for one in amounts) / missed
    most = FEW_SAVE * max(value, as_miss)
    return Net(value, min(value, -most), most)


def _advice(
    worth: Worth,
    nets: tuple[Net | None, Net | None, Net | None],
    sums: CacheSums,
    blocks: int,
) -> Advice:
    money, seconds, both = nets
    if sums.lookups < worth.least or blocks < LEAST_BLOCKS:
        return "too early"
    if worth.usd_per_s is not None:
        return _of_one(both)
    if money is None or seconds is None:
        return "unknown"
    signs = _of_one(money), _of_one(seconds)
    if signs[0] == signs[1]:
        return signs[0]
    if "too early" in signs:
        return "too early"
    return "mixed"


def _of_one(net: Net | None) -> Advice:
    if net is None:
        return "unknown"
    if net.high < 0:
        return "does not pay"
    return "pays" if net.low > 0 else "too early"


def _more(sums: CacheSums, worth: Worth, nets: Sequence[Net | None]) -> int | None:
    """Bounds come nearer with the root of what was seen."""
    needed = worth.least - sums.lookups
    for net in nets:
        if net is None or not net.low <= 0 <= net.high:
            continue
        wide = max(net.high - net.value, net.value - net.low)
        times = (wide / net.value) ** 2 if net.value else inf
        if times * sums.lookups > _MOST_MORE:
            return None
        needed = max(needed, ceil((times - 1) * sums.lookups))
    return max(needed, 1)
