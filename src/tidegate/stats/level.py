"""What is known of one metric at one level: of requests, or of units.

A `Level` goes from block to block; each block is judged by what the earlier ones showed, and only
then becomes one of them.
"""

from math import sqrt

from msgspec import Struct, field

from tidegate.core.block import Moments
from tidegate.stats import harm_test, mean_test, safe_test
from tidegate.stats.harm_test import ODDS_RATIOS, Share
from tidegate.stats.mean_test import LEAST_VARIANCE, Strata


class Level(Struct, frozen=True, omit_defaults=True):
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
        rate = harm_test.rate_of(self.both())
        return sqrt(rate * (1 - rate))

    def both(self) -> Share:
        return Share(self.stable.count + self.canary.count, self.stable.total + self.canary.total)


def summed(one: Moments, other: Moments) -> Moments:
    return Moments(one.count + other.count, one.total + other.total, one.squares + other.squares)


def advanced(level: Level, stable: Moments, canary: Moments, metric: tuple[bool, float]) -> Level:
    """With one block more. `metric`: whether it is a share, and its margin (points, or of ln)."""
    is_share, margin = metric
    harm, safe, strata = level.harm, level.safe, level.strata
    if stable.count and canary.count:
        if is_share:
            earlier = level.both()
            if earlier.judged >= harm_test.LEAST_EARLIER:
                rate = harm_test.rate_of(earlier)
                a, b = Share(stable.count, stable.total), Share(canary.count, canary.total)
                harm = tuple(harm_test.grown(harm, rate, a, b))
                safe += safe_test.growth(rate, margin, a, b)
        strata = _joined(level, stable, canary, metric)
    return Level(summed(level.stable, stable), summed(level.canary, canary), harm, safe, strata)


def _joined(level: Level, stable: Moments, canary: Moments, metric: tuple[bool, float]) -> Strata:
    is_share, margin = metric
    if level.stable.count < mean_test.LEAST:
        return level.strata
    spread = level.spread(is_share)
    ratio = 1.0
    if not is_share:
        ratio = mean_test.canary_variance(spread * spread, level.canary) / (spread * spread)
    precision = 1 / (1 / stable.count + ratio / canary.count)
    difference = canary.total / canary.count - stable.total / stable.count
    return mean_test.joined(level.strata, difference / spread, precision, margin / spread)
