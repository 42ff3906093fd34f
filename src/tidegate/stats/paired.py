"""The same cases answered twice: how much better or worse the second time, and how sure that is.

A case's difference is candidate less baseline, each the mean of its repeats, so that repeats of one
case are never taken for more cases.
"""

from collections.abc import Iterable, Sequence
from math import ceil, exp, inf, sqrt
from statistics import NormalDist
from typing import Final

from msgspec import Struct

from tidegate.stats.student import half_width

_NORMAL: Final = NormalDist()
_POWER: Final = 0.8


class Difference(Struct, frozen=True):
    """Of `count` cases: the mean difference, and between which bounds the true one lies, each
    exceeded in at most `alpha` of samples. `spread` is a difference's root mean square: with
    answers that pass or fail, the square root of the share of cases that differ."""

    count: int
    mean: float
    low: float
    high: float
    spread: float
    alpha: float

    def is_above(self, bound: float) -> bool:
        """Whether the true difference is shown to be above `bound`."""
        return self.low > bound

    @property
    def smallest(self) -> float:
        """The smallest true drop that would have been found in four of five such samples."""
        return smallest_drop(self.count, self.spread**2, self.alpha)


def of_scores(differences: Sequence[float], alpha: float = 0.05, noise: float = 0.0) -> Difference:
    """Differences of scores from 0 to 1. `noise` is the variance that a difference has by chance
    alone, below which no sample's is taken to be.

    One case that is won whole and one that is lost whole are added before the bounds are taken
    (Bonett and Price 2012, "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data"), so that no sample shows anything by having no discord.
    """
    count = len(differences)
    total, squares = sum(differences), sum(it * it for it in differences)
    padded = count + 2
    mean, second = total / padded, (squares + 2) / padded
    variance = max(max(second - mean * mean, 0.0) * padded / (padded - 1), noise)
    width = half_width(padded, variance, 1 - alpha)
    seen = total / count if count else 0.0
    spread = sqrt(max(squares / count, noise)) if count else 1.0
    return Difference(count, seen, max(mean - width, -1.0), min(mean + width, 1.0), spread, alpha)


class Ratio(Struct, frozen=True):
    """Of `count` cases: how many times the baseline's amount the candidate's is (the geometric
    mean), and its bounds. With fewer than two cases the bounds are 0 and infinity."""

    count: int
    ratio: float
    low: float
    high: float


def of_amounts(logs: Sequence[float], alpha: float = 0.05) -> Ratio:
    """From each case's ln(candidate / baseline), by Student's t."""
    count = len(logs)
    if not count:
        return Ratio(0, 1.0, 0.0, inf)
    mean = sum(logs) / count
    if count < 2:
        return Ratio(count, exp(mean), 0.0, inf)
    variance = sum((it - mean) ** 2 for it in logs) / (count - 1)
    width = half_width(count, variance, 1 - alpha)
    return Ratio(count, exp(mean), exp(mean - width), exp(min(mean + width, 700.0)))


def smallest_drop(count: int, discord: float, alpha: float = 0.05, power: float = _POWER) -> float:
    """The smallest true drop that a one-sided test finds with that power in `count` cases of which
    the share `discord` differs; at most 1. Source: the normal approximation of McNemar's test."""
    if count <= 0:
        return 1.0
    return min(1.0, reach(alpha, power) * sqrt(max(discord, 1 / count) / count))


def smallest_net_drop(count: int, discord: float, power: float = _POWER) -> float:
    """The smallest true drop that shows with that power as more lost than won, where one more is
    enough; at most 1. Source: with nothing won, one loss or more of `count`; else the normal
    approximation of the difference."""
    if count <= 0:
        return 1.0
    spread = _NORMAL.inv_cdf(power) * sqrt(discord / count)
    least: float = 1 - (1 - power) ** (1 / count)
    return min(1.0, max(spread, least))


def cases_needed(
    margin: float, discord: float, alpha: float = 0.05, power: float = _POWER
) -> int | None:
    """How many cases show with that power that an equal candidate is not worse by `margin`; None
    where no number does."""
    if margin <= 0:
        return None
    least = max(discord, margin / 4)
    return ceil(least * (reach(alpha, power) / margin) ** 2)


def reach(alpha: float, power: float = _POWER) -> float:
    """How many standard errors away a truth must lie for a one-sided test to find it so often."""
    return _NORMAL.inv_cdf(1 - alpha) + _NORMAL.inv_cdf(power)


def flip_rate(repeats: Iterable[Sequence[bool]]) -> float | None:
    """The chance that two answers of one version to one case differ in passing, over all cases that
    were asked more than once; None where none was."""
    shares = [disagreement(passed) for passed in repeats if len(passed) > 1]
    return sum(shares) / len(shares) if shares else None


def noise_of(repeats: Iterable[Sequence[float]]) -> float:
    """The variance that the mean of one case's repeats has by chance alone, on average of all cases
    that were asked more than once; 0 where none was."""
    known = [_variance(scores) / len(scores) for scores in repeats if len(scores) > 1]
    return sum(known) / len(known) if known else 0.0


def _variance(scores: Sequence[float]) -> float:
    count, total = len(scores), sum(scores)
    if total in (0.0, count):  # none or all passed, as most cases are
        return 0.0
    return max(sum(it * it for it in scores) - total * total / count, 0.0) / (count - 1)


def disagreement(passed: Sequence[bool]) -> float:
    """The chance that two of them differ."""
    count, yes = len(passed), sum(passed)
    return 2 * yes * (count - yes) / (count * (count - 1))
