"""What is known of one metric at one level: of requests, or of units.

A `Level` goes from block to block; each block is judged by what the earlier ones showed, and only
then becomes one of them.
"""

from math import sqrt
from typing import NamedTuple

from msgspec import Struct, field

from tidegate.core.block import Moments
from tidegate.stats import harm_test, mean_test, safe_test
from tidegate.stats.harm_test import ODDS_RATIOS, Share, grown
from tidegate.stats.mean_test import LEAST_VARIANCE, Strata
from tidegate.stats.safe_test import Margin, Rates, bet, growth


class Bounds(NamedTuple):
    """Whether the metric is a share, and its margin: points of it, or of the logarithm. `prior` is
    what is known of the rate before anything came."""

    is_share: bool
    margin: Margin
    prior: Share = Share(0, 0)

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
            return sqrt(mean_test.variance(self.stable, LEAST_VARIANCE))
        stable, canary = self.stable, self.canary
        rate = (stable.total + canary.total + 0.5) / (stable.count + canary.count + 1)
        return sqrt(rate * (1 - rate))

    def both(self) -> Share:
        return Share(self.stable.count + self.canary.count, self.stable.total + self.canary.total)


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
            if judged >= harm_test.LEAST_EARLIER:
                rate, margin = (bad + 0.5) / (judged + 1), by.margin
                # As floats: these are multiplied many times.
                a, b = (float(n_a), float(stable.total)), (float(n_b), float(canary.total))
                harm = grown(harm, rate, a, b)
                at_canary = bet(rate, margin, safe, level.canary.count, n_a / (n_a + n_b))
                safe += growth((rate, at_canary), margin.points, a, b)
        if level.stable.count >= mean_test.LEAST:
            strata = _joined(level, stable, canary, by)
    return Level(summed(level.stable, stable), summed(level.canary, canary), harm, safe, strata)


def bet_on(level: Level, by: Bounds, stable_share: float) -> Rates:
    """What the next block's test of safety bets on."""
    rate = harm_test.rate_of(Share(*by.earlier(level)))
    return safe_test.alternative(rate, by.margin, level.safe, level.canary.count, stable_share)


def _joined(level: Level, stable: Moments, canary: Moments, by: Bounds) -> Strata:
    spread, before = level.spread(by.is_share), level.strata
    ratio = 1.0
    if not by.is_share:
        ratio = mean_test.canary_variance(spread * spread, level.canary) / (spread * spread)
    n_a, n_b = stable.count, canary.count
    precision = 1.0 / (1.0 / n_a + ratio / n_b)
    difference = (canary.total / n_b - stable.total / n_a) / spread
    return mean_test.joined(before, difference, precision, by.margin.points / spread)
