"""What acts at once, without statistics: a canary that is plainly broken."""

from typing import Literal

from tidegate.core.rollout import Rollout
from tidegate.stats.analysis import Analysis

HardLimit = Literal["bad_of_first", "invalid_share", "cost_ratio"]


def broken(analysis: Analysis, rollout: Rollout) -> tuple[HardLimit, ...]:
    """Which of the rollout's hard limits the canary is over.

    A block may end beyond the first requests that `bad_of_first` is about: it is over when as large
    a share of them was bad. `cost_ratio` compares its mean cost, of as many requests at least as
    `invalid_least`, with the 99th percentile of the stable arm's latest.
    """
    found: list[HardLimit] = []
    hard, canary = rollout.hard, analysis.canary
    bad, of = hard.bad_of_first
    if canary.first_bad >= bad and canary.first_bad * of >= bad * canary.first:
        found.append("bad_of_first")
    if canary.contracted >= hard.invalid_least:
        found += (
            ["invalid_share"] if canary.invalid >= hard.invalid_share * canary.contracted else []
        )
    if analysis.dear_nanousd and canary.costed >= hard.invalid_least:
        most_nanousd = hard.cost_ratio * analysis.dear_nanousd * canary.costed
        found += ["cost_ratio"] if canary.cost_nanousd >= most_nanousd else []
    return tuple(found)
