"""Is the canary's share of bad requests higher than the stable arm's? An e-process, block by block.

The null hypothesis is that both arms share one rate within a block; which one may drift from block
to block. Each block's likelihood ratio takes its alternative from earlier blocks alone (plug-in
mixture of safe tests for 2x2 tables, Turner, Ly and Grünwald), so that

    P(E ever reaches 1 / alpha | no difference) <= alpha

for finite samples, any weight schedule and any time to stop. Values between 0 and 1, such as the
means of units, may stand for counts: each factor is convex in them, so its expectation is at most
that of a count with the same mean.
"""

from collections.abc import Sequence
from math import exp, log
from typing import Final, NamedTuple

# Odds ratios that the alternative mixes in equal parts, from hardly worse to broken.
ODDS_RATIOS: Final = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
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
    """ln of the e-value: the mean of the likelihood ratios."""
    most = max(logs)
    return min(MOST_LN_E, most + log(sum(exp(each - most) for each in logs) / len(logs)))
