"""What is known of one metric at one level: of requests, or of units.

A `Level` goes from block to block; each block is judged by what the earlier ones showed, and only
then becomes one of them.
"""

from math import sqrt
from typing import Final, NamedTuple

from msgspec import Struct, field

from tidegate.core.block import Moments
from tidegate.stats import harm_test, mean_test, safe_test
from tidegate.stats.harm_test import ODDS_RATIOS, Share, grown
from tidegate.stats.mean_test import LEAST_VARIANCE, Strata
from tidegate.stats.safe_test import Margin, Rates, SoFar, bet, growth

# Blocks of so many observations are bet on before anything is known of their rate.
MOST_UNKNOWN: Final = 400
# Bad observations' worth of doubt in how much they vary.
_FEW: Final = 2.0


class Bounds(NamedTuple):
    """Whether the metric is a share, and its margin: points of it, or of the logarithm. `prior` is
    what is known of the rate before anything came; tests begin once `least` observations are."""

    is_share: bool
    margin: Margin
    prior: Share = Share(0, 0)
    least: int = harm_test.LEAST_EARLIER

    def earlier(self, level: "Level") -> tuple[float, float]:
        """The `Share` that both arms have shown."""
        stable, canary, (judged, bad) = level.stable, level.canary, self.prior
        return stable.count + canary.count + judged, stable.total + canary.total + bad


class Level(Struct, frozen=True, omit_defaults=True, gc=False):
    """`stable` and `canary` are all observations; `harm` has ln of the likelihood ratios and `safe`
    ln of the e-value where the metric is a share; `strata` the blocks' differences."""

    stable: Moments = field(default_factory=Moments)
    canary: Moments = field(default_factory=Moments)
    harm: tuple[float, ...] = (0.0,) * len(ODDS_RATIOS)
    safe: float = 0.0
    strata: Strata = Strata()

    def spread(self, is_share: bool) -> float:
        """The standard deviation of one observation of the stable arm."""
        if not is_share:
            return _deviation(self.stable)
        stable, canary = self.stable, self.canary
        rate = (stable.total + canary.total + 0.5) / (stable.count + canary.count + 1)
        return sqrt(rate * (1 - rate))

    def both(self) -> Share:
        return Share(self.stable.count + self.canary.count, self.stable.total + self.canary.total)


def _deviation(stable: Moments) -> float:
    return sqrt(mean_test.variance(stable, LEAST_VARIANCE))


def summed(one: Moments, other: Moments) -> Moments:
    return Moments(one.count + other.count, one.total + other.total, one.squares + other.squares)


def advanced(level: Level, stable: Moments, canary: Moments, by: Bounds) -> Level:
    """With one block more."""
    n_a, n_b = stable.count, canary.count
    if not n_a and not n_b:
        return level
    harm, safe, strata = level.harm, level.safe, level.strata
    if n_a and n_b:
        if by.is_share:
            judged, bad = by.earlier(level)
            # As floats: these are multiplied many times.
            a, b = (float(n_a), float(stable.total)), (float(n_b), float(canary.total))
            rate = by.margin.points
            if judged >= by.least:
                rate = (bad + 0.5) / (judged + 1)
                harm = grown(harm, rate, a, b)
            if judged >= by.least or n_a + n_b <= MOST_UNKNOWN:
                share = n_a / (n_a + n_b) / _unevenness(level)
                so_far = safe, level.canary.count, n_b
                rates = rate, bet(rate, by.margin, so_far, share)
                between = stable.total - stable.squares, canary.total - canary.squares
                safe += growth(rates, by.margin.points, a, b, between)
        strata = _joined(level, stable, canary, by)
    return Level(summed(level.stable, stable), summed(level.canary, canary), harm, safe, strata)


def harmed(level: Level, stable: Moments, canary: Moments, prior: Share) -> Level:
    """With one block more of a share of which only harm is asked, and whose rate `prior` tells."""
    n_a, n_b = stable.count, canary.count
    if not n_a and not n_b:
        return level
    harm = level.harm
    if n_a and n_b:
        judged = level.stable.count + level.canary.count + prior.judged
        bad = level.stable.total + level.canary.total + prior.bad
        a, b = (float(n_a), float(stable.total)), (float(n_b), float(canary.total))
        harm = grown(harm, (bad + 0.5) / (judged + 1), a, b)
    return Level(summed(level.stable, stable), summed(level.canary, canary), harm)


def bet_on(level: Level, by: Bounds, stable: float, canary: float) -> Rates:
    """What the test of safety bets on of a block with so many of each arm. While hardly anything is
    known of the rate it is the margin: whoever names one has a rate of that order in mind, and any
    bet is valid."""
    earlier = Share(*by.earlier(level))
    rate = by.margin.points
    if earlier.judged >= by.least:
        rate = harm_test.rate_of(earlier)
    share = stable / (stable + canary) / _unevenness(level)
    return safe_test.alternative(
        rate, by.margin, SoFar(level.safe, level.canary.count, canary), share
    )


def _unevenness(level: Level) -> float:
    """The variance of the observations so far as a part of that of counts with the same mean: less
    than 1 where they are means of several requests, for whose variance few bad ones vouch."""
    stable, canary = level.stable, level.canary
    total, squares = stable.total + canary.total, stable.squares + canary.squares
    if squares >= total:
        return 1.0
    of_mean = total * total / (stable.count + canary.count)
    return (squares - of_mean + _FEW) / (total - of_mean + _FEW)


def _joined(level: Level, stable: Moments, canary: Moments, by: Bounds) -> Strata:
    is_share, before = by.is_share, level.strata
    known = level.stable
    if known.count < mean_test.LEAST and not is_share:
        known = stable
    if known.count < mean_test.LEAST:
        return before
    spread = level.spread(True) if is_share else _deviation(known)
    ratio = 1.0
    if not is_share:
        ratio = mean_test.canary_variance(spread * spread, level.canary) / (spread * spread)
    n_a, n_b = stable.count, canary.count
    precision = 1.0 / (1.0 / n_a + ratio / n_b)
    difference = (canary.total / n_b - stable.total / n_a) / spread
    return mean_test.joined(before, difference, precision, by.margin.points / spread)
