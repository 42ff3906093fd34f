"""Two versions on the same cases, each passed or failed: only cases on which they differ tell.

If the candidate is as good as the baseline, each discordant case is a fair coin. `p_value` tosses
it once, at the end (the exact test of McNemar); `Coin` may be looked at after each case.
"""

from math import exp, lgamma, log
from typing import Final

_LN2: Final = log(2)


def p_value(lost: int, won: int) -> float:
    """The chance that at least `lost` of the discordant cases are lost by a candidate that is as
    good as the baseline: McNemar's exact test, one-sided. 1 without a discordant case."""
    count = lost + won
    if lost * 2 > count:
        return min(1.0, exp(_ln_tail(lost, count)))
    return 1.0 if lost == 0 else max(0.0, 1.0 - exp(_ln_tail(won + 1, count)))


def _ln_tail(least: int, count: int) -> float:
    """ln P(at least `least` of `count` tosses), where that is at most about a half."""
    ratio, term = 1.0, 1.0
    for heads in range(least, count):
        term *= (count - heads) / (heads + 1)
        ratio += term
        if term < ratio * 1e-18:
            break
    return _ln_toss(least, count) + log(ratio)


def _ln_toss(heads: int, count: int) -> float:
    """ln of the chance of exactly so many."""
    return lgamma(count + 1) - lgamma(heads + 1) - lgamma(count - heads + 1) - count * _LN2


class Coin:
    """The evidence that the candidate is worse, case by case: an e-process.

    It mixes the likelihood ratios of all coins that are biased against the candidate, uniformly:
    with x lost and y won, E = 2^(x+y+1) B(x+1, y+1) (1 - I_1/2(x+1, y+1)). For an equal candidate
    it ever reaches 1/alpha with a chance of at most alpha (Ville), however often it is looked at.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.won = 0
        self._at_most = 0.5  # P(at most `lost` of `lost + won + 1` tosses)

    def toss(self, *, lost: bool) -> None:
        """One more discordant case."""
        count = self.lost + self.won + 1
        if lost:
            self._at_most += 0.5 * exp(_ln_toss(self.lost + 1, count))
            self.lost += 1
        else:
            self._at_most -= 0.5 * exp(_ln_toss(self.lost, count))
            self.won += 1

    @property
    def ln_e(self) -> float:
        """ln of the evidence; where more were won than lost there is none, and it is at most 0."""
        if self.lost <= self.won:
            return 0.0 if self.lost == self.won == 0 else min(0.0, self._exact())
        return self._of(log(self._at_most))

    def is_worse(self, alpha: float) -> bool:
        return self.ln_e >= -log(alpha)

    def _of(self, ln_at_most: float) -> float:
        lost, won = self.lost, self.won
        ln_beta = lgamma(lost + 1) + lgamma(won + 1) - lgamma(lost + won + 2)
        return (lost + won + 1) * _LN2 + ln_beta + ln_at_most

    def _exact(self) -> float:
        # Summed anew: what is left of a running sum near zero is its rounding.
        count = self.lost + self.won + 1
        return self._of(_ln_tail(count - self.lost, count))
