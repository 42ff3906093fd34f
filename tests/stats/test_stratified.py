"""Shares of the whole from samples of its parts."""

import random

import pytest

from tidegate.stats.stratified import Part, overall, wilson


def test_one_part_is_wilsons_interval() -> None:
    found = overall([Part(1000, 60, 0)])
    assert found is not None
    assert (found.share, found.low, found.covered) == (0.0, 0.0, 1.0)
    assert found.high == pytest.approx(0.0602, abs=0.001)
    low, high = wilson(12, 60)
    assert (low, high) == pytest.approx((0.1183, 0.3179), abs=0.001)


def test_parts_weigh_by_their_size_and_not_by_how_often_they_were_sampled() -> None:
    found = overall([Part(900, 10, 0), Part(100, 90, 90)])
    assert found is not None
    assert found.share == pytest.approx(0.1)
    assert found.low < 0.1 < found.high


def test_what_nobody_looked_at_is_told_and_what_is_not_there_weighs_nothing() -> None:
    found = overall([Part(300, 30, 3), Part(100, 0, 0), Part(0, 5, 5)])
    assert found is not None
    assert (found.share, found.covered) == (pytest.approx(0.1), 0.75)
    assert overall([Part(100, 0, 0)]) is None
    assert overall([]) is None
    assert wilson(0, 0) == (0.0, 1.0)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    rng, held, runs = random.Random(3), 0, 400
    sizes, rates, known = (700, 250, 50), (0.02, 0.1, 0.5), (40, 40, 40)
    truth = sum(size * rate for size, rate in zip(sizes, rates, strict=True)) / 1000
    for _ in range(runs):
        parts = [
            Part(size, count, sum(rng.random() < rate for _ in range(count)))
            for size, rate, count in zip(sizes, rates, known, strict=True)
        ]
        found = overall(parts)
        held += found is not None and found.low <= truth <= found.high
    assert held >= 0.94 * runs
