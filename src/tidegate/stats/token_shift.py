"""Has the length of answers moved, up or down? Told early, at the first step of a release.

No ground to roll back by itself: an answer may be longer for good reason. Of a share of the usual
error, since it looks at every release and both ways.
"""

from math import exp, log
from typing import Final

from tidegate.stats import harm_test, mean_test
from tidegate.stats.analysis import LENGTH, Analysis

LEAST: Final = 20
ALPHA: Final = 0.01


def shift(analysis: Analysis) -> float | None:
    """How many times as long the canary's answers are, once it is proven that they differ."""
    level = analysis.metrics[LENGTH].requests
    strata = level.strata
    if level.canary.count < LEAST or strata.precision <= 0:
        return None
    longer = mean_test.ln_e_above(strata.weighted, strata.precision)
    shorter = mean_test.ln_e_above(-strata.weighted, strata.precision)
    if harm_test.ln_mean((longer, shorter)) < log(1 / ALPHA):
        return None
    return exp(strata.weighted / strata.precision * level.spread(False))
