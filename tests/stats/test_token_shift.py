import random
from math import log1p

import pytest
from tests.stats.release import ERRORS, amounts, block, rollout

from tidegate.stats.analysis import begin, take
from tidegate.stats.token_shift import shift


def found(times: float, blocks: int, seed: int = 5):
    of, draw = rollout(*ERRORS), random.Random(seed)
    analysis = begin(of)
    for _ in range(blocks):
        stable = amounts([log1p(draw.lognormvariate(5, 0.8)) for _ in range(95)])
        canary = amounts([log1p(times * draw.lognormvariate(5, 0.8)) for _ in range(5)])
        analysis = take(analysis, of, block(stable, canary))
    return shift(analysis)


@pytest.mark.parametrize("times", [2.0, 0.5])
def test_it_is_told_both_ways_within_the_first_hundred_though_no_guard_is_about_it(times):
    assert found(times, 20) == pytest.approx(times, rel=0.3)


def test_what_stays_as_long_is_not_told():
    assert [found(1.0, 30, seed) for seed in range(20)] == [None] * 20


def test_a_few_answers_tell_nothing():
    assert found(20.0, 3) is None
    assert shift(begin(rollout(*ERRORS))) is None
