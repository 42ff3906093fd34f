"""Differences of the same cases answered twice."""

from math import exp, inf, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stats.paired import (
    cases_needed,
    flip_rate,
    of_amounts,
    of_scores,
    smallest_drop,
)


@pytest.mark.parametrize(
    ("cases", "points"),
    [
        (50, (7.9, 11.1, 15.7, 19.3)),
        (100, (5.6, 7.9, 11.1, 13.6)),
        (200, (3.9, 5.6, 7.9, 9.6)),
        (500, (2.5, 3.5, 5.0, 6.1)),
        (1000, (1.8, 2.5, 3.5, 4.3)),
    ],
)
def test_the_smallest_drop_is_that_of_the_table(cases: int, points: tuple[float, ...]) -> None:
    """Of 5, 10, 20 and 30 % of cases that differ."""
    found = [smallest_drop(cases, discord) * 100 for discord in (0.05, 0.1, 0.2, 0.3)]
    assert found == pytest.approx(points, abs=0.05)


@pytest.mark.parametrize(("cases", "discord", "drop"), [(60, 0.1, 0.03), (300, 0.2, 0.05)])
def test_a_candidate_at_the_margin_is_let_through_in_one_of_twenty(
    cases: int, discord: float, drop: float
) -> None:
    draw, passed = Random(7), 0
    for _ in range(2000):
        tosses = [draw.random() for _ in range(cases)]
        worse, better = (discord + drop) / 2, discord
        differences = [-1.0 if it < worse else 1.0 if it < better else 0.0 for it in tosses]
        passed += of_scores(differences).is_above(-drop)
    assert passed / 2000 <= 0.06


def test_few_cases_without_discord_show_nothing() -> None:
    assert not of_scores([0.0] * 50).is_above(-0.03)
    assert of_scores([0.0] * 100).is_above(-0.03)
    assert of_scores([]).low == -1.0


@given(st.lists(st.floats(-1, 1), max_size=50))
def test_bounds_hold_the_mean_and_stay_possible(differences: list[float]) -> None:
    found = of_scores(differences)
    assert -1.0 <= found.low <= found.high <= 1.0
    assert found.count == len(differences)
    assert 0 < found.smallest <= 1


def test_a_ratio_is_of_geometric_means() -> None:
    ratio = of_amounts([log(1.5), log(1.6), log(1.4), log(1.5)])
    assert ratio.ratio == pytest.approx(exp(sum(map(log, (1.5, 1.6, 1.4, 1.5))) / 4))
    assert ratio.low < ratio.ratio < ratio.high
    assert ratio.low > 1.4


@pytest.mark.parametrize("logs", [[], [0.3]])
def test_a_ratio_of_less_than_two_cases_is_unknown(logs: list[float]) -> None:
    ratio = of_amounts(logs)
    assert (ratio.low, ratio.high) == (0.0, inf)


def test_as_many_cases_as_are_needed_are_enough() -> None:
    needed = cases_needed(0.03, 0.1)
    assert needed is not None
    draw, passed = Random(3), 0
    for _ in range(400):
        tosses = [draw.random() for _ in range(needed)]
        differences = [-1.0 if it < 0.05 else 1.0 if it < 0.1 else 0.0 for it in tosses]
        passed += of_scores(differences).is_above(-0.03)
    assert passed / 400 >= 0.75
    assert cases_needed(0.0, 0.1) is None


def test_flips_are_counted_between_repeats_of_a_case() -> None:
    assert flip_rate([[True, True], [True, False], [True]]) == 0.5
    assert flip_rate([[True, True, False]]) == pytest.approx(2 / 3)
    assert flip_rate([[True]]) is None
