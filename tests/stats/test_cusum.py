"""Sums of what goes wrong: when they tell, and how seldom they do for nothing."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.stats.cusum import Cusum, alarm_chance, designed, mean_looks, median_looks

LOOKS, TRIALS = 104, 50


def run_length(cusum: Cusum, chance: float, draw: Random) -> int:
    now, number = 0.0, 0
    while not cusum.is_over(now):
        number += 1
        now = cusum.after(now, sum(draw.random() < chance for _ in range(TRIALS)), TRIALS)
    return number


def test_the_sum_forgets_good_news_and_keeps_bad() -> None:
    cusum = Cusum(0.1, 4.0)
    assert cusum.after(0.0, 0, 50) == 0.0
    assert cusum.after(1.5, 7, 50) == pytest.approx(3.5)
    assert cusum.after(3.5, 0, 0) == 3.5
    assert [cusum.is_over(it) for it in (3.75, 4.0)] == [False, True]


def test_computed_lengths_are_those_of_simulated_looks() -> None:
    cusum = designed(0.125, 0.2, TRIALS, LOOKS)
    draw = Random(7)
    lengths = sorted(run_length(cusum, 0.25, draw) for _ in range(1500))
    mean = sum(lengths) / len(lengths)
    assert mean_looks(cusum, 0.25, TRIALS) == pytest.approx(mean, rel=0.05)
    assert median_looks(cusum, 0.25, TRIALS) == lengths[len(lengths) // 2] == 3
    soon = sum(it <= 2 for it in lengths) / len(lengths)
    assert alarm_chance(cusum, 0.25, TRIALS, 2) == pytest.approx(soon, abs=0.04)


def test_one_that_can_hardly_tell_says_so() -> None:
    assert median_looks(Cusum(0.5, 20.0), 0.05, TRIALS) is None


@settings(max_examples=25)
@given(before=st.floats(0.002, 0.4), share=st.floats(0.1, 0.9))
def test_a_designed_one_keeps_its_word(before: float, share: float) -> None:
    after = before + share * (0.9 - before)
    cusum = designed(before, after, TRIALS, LOOKS)
    assert alarm_chance(cusum, before, TRIALS, LOOKS) <= 0.05
    tighter = Cusum(cusum.reference, cusum.limit - 0.25)
    assert tighter.limit <= 0 or alarm_chance(tighter, before, TRIALS, LOOKS) > 0.05
    assert mean_looks(cusum, before, TRIALS) > LOOKS
    assert mean_looks(cusum, after, TRIALS) < mean_looks(cusum, before, TRIALS)


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.5), (0.5, 0.5), (0.6, 0.5), (0.5, 1.0)])
def test_what_cannot_be_told_apart_is_refused(before: float, after: float) -> None:
    with pytest.raises(ValueError, match="no chances"):
        designed(before, after, TRIALS, LOOKS)
