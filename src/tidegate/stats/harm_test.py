"""Is the canary's share of bad requests higher than the stable arm's? An e-process, block by block.

The null hypothesis is that both arms share one rate within a block; which one may drift from block
to block. Each block's likelihood ratio takes its alternative from earlier blocks alone (plug-in
mixture of safe tests for 2x2 tables, Turner, Ly and Grünwald), so that

    P(E ever reaches 1 / alpha | no difference) <= alpha

for finite samples, any weight schedule and any time to stop (Ville: a mixture with fixed parts of
such ratios has expectation 1 or less whenever one stops). Values between 0 and 1, such as the means
of units, may stand for counts: each factor is convex in them, so its expectation is at most that of
a count with the same mean. `surplus` is what may be added for that.
"""

from collections.abc import Sequence
from math import exp, log
from typing import Final, NamedTuple

# Odds ratios that the alternative mixes, from hardly worse to broken, and their parts: most for
# what is worth the traffic of a release. What is broken shows soon with any part.
ODDS_RATIOS: Final = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
PARTS: Final = (1 / 12, 2 / 12, 3 / 12, 3 / 12, 2 / 12, 1 / 12)
_LN_ODDS_RATIOS: Final = tuple(log(ratio) for ratio in ODDS_RATIOS)
# Before so many observations of both arms nothing is known of their rate.
LEAST_EARLIER: Final = 200
MOST_LN_E: Final = 200.0


class Share(NamedTuple):
    """`judged` observations, `bad` of them in sum."""

    judged: float
    bad: float


def rate_of(earlier: Share) -> float:
    """The common rate by what both arms have shown, never 0 or 1."""
    return (earlier.bad + 0.5) / (earlier.judged + 1)


def grown(
    logs: Sequence[float], rate: float, stable: tuple[float, float], canary: tuple[float, float]
) -> tuple[float, ...]:
    """The log likelihood ratios after a block of these `Share`s, one an odds ratio r.

    The alternative is (rate, rate r / s) with s = 1 - rate + rate r, the null the mean of both by
    their observations; a and b are the arms' parts of these. What bad requests say of the null is
    then ln(rate / s (a s + b r)), what good ones do ln((1 - rate) / s (a s + b)).
    """
    (n_a, k_a), (n_b, k_b) = stable, canary
    if not n_a or not n_b:
        return tuple(logs)
    both = n_a + n_b
    a, b, rest = n_a / both, n_b / both, 1.0 - rate
    bad = k_a + k_b
    good = both - bad
    found = []  # no comprehension: its names are slow to look up, and this runs most of all
    if not bad:
        for before, ratio in zip(logs, ODDS_RATIOS, strict=True):
            scale = rest + rate * ratio
            found.append(before + n_a * log(scale) - good * log(a * scale + b))
        return tuple(found)
    for before, ratio, ln_ratio in zip(logs, ODDS_RATIOS, _LN_ODDS_RATIOS, strict=True):
        scale = rest + rate * ratio
        part = a * scale
        found.append(
            before
            + k_b * ln_ratio
            + n_a * log(scale)
            - bad * log(part + b * ratio)
            - good * log(part + b)
        )
    return tuple(found)


def ln_e(logs: Sequence[float]) -> float:
    """ln of the e-value: the mean of the likelihood ratios by their parts."""
    most = max(logs)
    mean = sum([part * exp(each - most) for part, each in zip(PARTS, logs, strict=True)])
    return min(MOST_LN_E, most + log(mean))


def ln_mean(logs: Sequence[float]) -> float:
    """ln of the mean of e-values, each as its ln: an e-value again."""
    most = max(logs)
    return min(MOST_LN_E, most + log(sum(exp(each - most) for each in logs) / len(logs)))


def surplus(odds_ratio: float) -> float:
    """What values x between 0 and 1 add to ln of the e-value for each x (1 - x) of them.

    With the likelihood ratios r1 of a bad observation and r0 of a good one, x r1 + (1 - x) r0 is
    linear in x, so its expectation is that of a count with the same mean: 1 or less where a count's
    is. Its ln is at least x ln(r1) + (1 - x) ln(r0) + surplus(r1 / r0) x (1 - x), which sums and
    squares of x can tell: the difference is 0 at both ends and flat at one of them, and seen from
    there its curvature changes its sign at most once, from up to down.
    """
    least = min(odds_ratio, 1 / odds_ratio)
    return least - 1 - log(least)
