"""Blocks taken in one after another."""

from tests.stats.release import ERRORS, rollout

from tidegate.core.block import ArmBlock, Block, Tally
from tidegate.core.rollout import HarmMetric
from tidegate.stats.analysis import Analysis, begin, take

ROLLOUT = rollout(*ERRORS)
JUDGED = rollout(HarmMetric("error", 0.02), HarmMetric("quality", 0.05))


def after(*blocks, of=ROLLOUT) -> Analysis:
    analysis = begin(of)
    for each in blocks:
        analysis = take(analysis, of, each)
    return analysis


def judged(stable: int, canary: int, *, of: int = 10, began_s: float = 0.0, **given) -> Block:
    """So many bad of as many judged answers of each arm."""
    arms = [ArmBlock(tallies={"quality": Tally(of, bad)}) for bad in (stable, canary)]
    for each in arms:
        for name, value in given.items():
            setattr(each, name, value)
    return Block("chat/next", 1, began_s, began_s + 10.0, 0.1, *arms, late="quality")
