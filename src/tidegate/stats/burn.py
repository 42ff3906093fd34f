"""Burn rates: how fast an error budget is spent, and when that is worth waking somebody.

A tier may spend `share` of the budget of a period P within its long window W, which is a burn of
share * P / W; it fires where both its windows burn faster (Google, The Site Reliability Workbook,
chapter 5). Beyond that: a factor that more than half of all requests would have to be bad for is
lowered; few bad requests prove nothing, unless hardly any other came; and where a week's budget is
less than one request, bad requests are counted instead.
"""

from collections.abc import Callable
from functools import lru_cache
from math import ceil, exp, log
from typing import Final, Literal

from msgspec import Struct

from tidegate.core.block import Tally

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
# The period for which the tiers' windows are as written; for shorter ones they shrink with it.
_FULL_PERIOD_S: Final = 28 * DAY_S
_WINDOW_STEP_S: Final = 60.0
# The part of all requests that would have to be bad before a page, at most.
MOST_BAD_SHARE: Final = 0.5
LEAST_BAD: Final = 5
# How likely so many bad requests may be, within what the budget allows, that somebody is woken.
PAGE_CHANCE: Final = 1e-4
# So many in the short window alone will do where they are as unlikely as this. Callers' libraries
# send a request three times: fewer may be one caller's.
LEAST_SURE: Final = 4
SURE_CHANCE: Final = 1e-7
# Bad requests that a page, and a ticket, takes where a week's budget is less than one.
COUNT_PAGE: Final = 5
COUNT_TICKET: Final = 3
# So many requests that should have come are missed.
LEAST_DUE: Final = 10.0

Severity = Literal["page", "ticket"]
TierName = Literal["fast", "medium", "slow", "long"]
# Requests in a window of so many seconds.
Counted = Callable[[float], Tally]


class Tier(Struct, frozen=True):
    """`share` is the part of the budget that the long window may spend."""

    name: TierName
    share: float
    long_s: float
    short_s: float
    severity: Severity


_TIERS: Final = (
    Tier("fast", 0.02, HOUR_S, 300.0, "page"),
    Tier("medium", 0.05, 6 * HOUR_S, 1800.0, "page"),
    Tier("slow", 0.10, DAY_S, 2 * HOUR_S, "ticket"),
    Tier("long", 0.10, 3 * DAY_S, 6 * HOUR_S, "ticket"),
)


class Burning(Struct, frozen=True):
    """A tier's two windows now: their burns, None without requests, and whether it fires.

    `factor` None: bad requests are counted, and what they burn is not asked.
    """

    tier: Tier
    factor: float | None
    long: float | None
    short: float | None
    bad: int
    fires: bool


@lru_cache(maxsize=64)
def tiers(period_s: float) -> tuple[Tier, ...]:
    """The tiers of a period, with windows of whole minutes."""
    scale = min(period_s / _FULL_PERIOD_S, 1.0)
    return tuple(
        Tier(
            one.name, one.share, _whole(one.long_s, scale), _whole(one.short_s, scale), one.severity
        )
        for one in _TIERS
    )


def _whole(window_s: float, scale: float) -> float:
    return ceil(window_s * scale / _WINDOW_STEP_S) * _WINDOW_STEP_S


def windows_s(period_s: float) -> tuple[float, ...]:
    """Every window that is asked for, ascending."""
    found = {WEEK_S, period_s}
    for tier in tiers(period_s):
        found |= {tier.long_s, tier.short_s}
    fast = tiers(period_s)[0]
    found.add(2 * fast.short_s)
    return tuple(sorted(found))


def written_factor(tier: Tier, period_s: float) -> float:
    """The burn that spends the tier's share in its long window."""
    return tier.share * period_s / tier.long_s


def factor(tier: Tier, period_s: float, target: float) -> float:
    """`written_factor`, or less where that could hardly ever be reached."""
    return min(written_factor(tier, period_s), MOST_BAD_SHARE / (1.0 - target))


def is_lowered(tier: Tier, period_s: float, target: float) -> bool:
    """Whether `factor` is not the one that the tier's share asks for."""
    return written_factor(tier, period_s) > MOST_BAD_SHARE / (1.0 - target)


def burn(tally: Tally, target: float) -> float | None:
    """How many times faster than the budget allows; None without requests."""
    if not tally.judged:
        return None
    return tally.bad / (tally.judged * (1.0 - target))


def remaining(tally: Tally, target: float, counted: float = 1.0) -> float | None:
    """The part of a period's budget that is left, below 0 where more than all of it was spent;
    None without requests. Of a period of which only the part `counted` has been counted, the rest
    is taken to have as many requests: an hour in which all were bad costs of a month's budget
    what it costs at its end."""
    spent = burn(tally, target)
    return None if spent is None else round(1.0 - spent * counted, 9)


def detect_s(tier: Tier, period_s: float, target: float, bad_share: float) -> float:
    """How long the tier takes to fire once so many are bad, where none was before."""
    return min(factor(tier, period_s, target) * (1.0 - target) / bad_share, 1.0) * tier.long_s


def is_counted(counted: Counted, target: float, known_s: float) -> bool:
    """Whether a week's budget is less than one request. `known_s` is how long has been counted."""
    span_s = min(known_s, WEEK_S)
    allowed = counted(WEEK_S).judged * (1.0 - target)
    return span_s >= HOUR_S and allowed * WEEK_S < span_s


def burning(
    period_s: float, target: float, counted: Counted, known_s: float
) -> tuple[Burning, ...]:
    """All tiers, the fastest first."""
    by_count = is_counted(counted, target, known_s)
    every = tiers(period_s)
    if by_count:
        return tuple(_by_count(tier, every, counted, target) for tier in every)
    factors = _factors(period_s, target)
    return tuple(
        _by_burn(tier, above, counted, target) for tier, above in zip(every, factors, strict=True)
    )


def fastest(period_s: float, target: float, counted: Counted, known_s: float) -> Burning:
    """The fastest tier of `burning`."""
    every = tiers(period_s)
    if is_counted(counted, target, known_s):
        return _by_count(every[0], every, counted, target)
    return _by_burn(every[0], _factors(period_s, target)[0], counted, target)


def is_quiet(period_s: float, target: float, counted: Counted, known_s: float) -> bool:
    """Whether no tier of `burning` fires, as its short windows say already; False is no answer."""
    if is_counted(counted, target, known_s):
        return False
    for tier, above in zip(tiers(period_s), _factors(period_s, target), strict=True):
        short = counted(tier.short_s)
        if short.bad and short.bad / (short.judged * (1.0 - target)) > above:
            return False
    return True


@lru_cache(maxsize=256)
def _factors(period_s: float, target: float) -> tuple[float, ...]:
    return tuple(factor(tier, period_s, target) for tier in tiers(period_s))


def _by_burn(tier: Tier, above: float, counted: Counted, target: float) -> Burning:
    long, short = counted(tier.long_s), counted(tier.short_s)
    long_burn, short_burn = burn(long, target), burn(short, target)
    fires = False
    if long_burn is not None and short_burn is not None and short_burn > above and short.bad:
        fires = long_burn > above and long.bad >= LEAST_BAD
        if tier.severity == "page":
            fires = fires and chance(long.bad, long.judged * (1.0 - target)) < PAGE_CHANCE
            fires = fires or _is_sure(above, long, short, target)
    return Burning(tier, above, long_burn, short_burn, long.bad, fires)


def _is_sure(above: float, long: Tally, short: Tally, target: float) -> bool:
    """Whether the short window leaves no doubt, so that the one more bad request is not waited for
    that would make the long one's burn, or its least number, whole."""
    if short.bad < LEAST_SURE:
        return False
    next_burn = burn(Tally(long.judged + 1, long.bad + 1), target)
    if next_burn is None or next_burn <= above:
        return False
    return tail(short.bad, short.judged, 1.0 - target) < SURE_CHANCE


def _by_count(tier: Tier, every: tuple[Tier, ...], counted: Counted, target: float) -> Burning:
    """The fast tier counts over the slow one's windows; there is no medium one."""
    slow, longest = every[2], every[3]
    over, least = (slow, COUNT_PAGE) if tier.severity == "page" else (longest, COUNT_TICKET)
    long, short = counted(over.long_s), counted(over.short_s)
    fires = tier.name in ("fast", "long") and long.bad >= least and short.bad >= 1
    return Burning(tier, None, burn(long, target), burn(short, target), long.bad, fires)


def chance(bad: int, expected: float) -> float:
    """At most so likely are `bad` or more where `expected` are usual (Poisson, Chernoff bound)."""
    if bad <= expected:
        return 1.0
    if expected <= 0.0:
        return 0.0
    return exp(bad - expected - bad * log(bad / expected))


def tail(bad: int, judged: int, share: float) -> float:
    """How likely `bad` or more of `judged` are, where each is with the chance `share` (binomial,
    exact)."""
    if bad <= 0:
        return 1.0
    odds, term = share / (1.0 - share), 1.0
    for one in range(bad):
        term *= (judged - one) / (one + 1) * share
    term *= (1.0 - share) ** (judged - bad)
    found = 0.0
    for one in range(bad, judged + 1):
        found += term
        term *= (judged - one) / (one + 1) * odds
        if term <= found * 1e-12:
            break
    return found


def absence_gap_s(period_s: float) -> float:
    """Of so long a time without a request it is told: two short windows of the fastest tier."""
    return 2 * tiers(period_s)[0].short_s


def is_due(counted: Counted, period_s: float, week_ago_per_s: float | None) -> bool:
    """Whether requests should have come in `absence_gap_s`: at least `LEAST_DUE` of them by this
    hour a week ago, and by the last hours or the last day; where nobody knows of a week ago, by
    both of these."""
    gap_s = absence_gap_s(period_s)
    slow = tiers(period_s)[2]
    by_hours, by_day = (
        counted(window_s).judged / window_s * gap_s >= LEAST_DUE
        for window_s in (slow.short_s, slow.long_s)
    )
    if week_ago_per_s is None:
        return by_hours and by_day
    return week_ago_per_s * gap_s >= LEAST_DUE and (by_hours or by_day)


def came_lately(counted: Counted, period_s: float) -> bool:
    """Whether by the last day as many should have come."""
    day_s = tiers(period_s)[2].long_s
    return counted(day_s).judged / day_s * absence_gap_s(period_s) >= LEAST_DUE
