"""Do as many units reach the canary as its weight says? An exact binomial e-process.

If not, something other than the salt chooses who is in which arm, and no comparison of the two
means anything. Only units that no arm had seen count: who moves over when the weight rises says
nothing of the weight.
"""

from collections.abc import Sequence
from math import log
from typing import Final

# How far off the odds of the canary might be, mixed in equal parts.
ODDS_RATIOS: Final = (0.2, 0.5, 0.8, 0.9, 1.1, 1.25, 2.0, 5.0)
ALARM: Final = 1000.0


def grown(logs: Sequence[float], weight: float, units: int, canary_units: int) -> list[float]:
    """The log likelihood ratios after `units` of both arms came at that weight."""
    if not 0 < weight < 1:
        return list(logs)
    found = []
    for before, ratio in zip(logs, ODDS_RATIOS, strict=True):
        scale = 1 - weight + weight * ratio
        found.append(before + canary_units * log(ratio) - units * log(scale))
    return found
