"""Weekly looks: whose turn it is, what is expected, and when that is an alarm."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.evals.anchors import Anchor
from tidegate.evals.calibration import people_say
from tidegate.evals.judge_looks import (
    Agreed,
    agreed,
    calibration,
    cusum_of,
    said_of,
    sample,
    week_of,
    weekly,
)
from tidegate.stats.cusum import Cusum
from tidegate.stores.judge_scores import CALIBRATION, Score


def anchors(count: int = 200, passing: int = 100) -> list[Anchor]:
    return [Anchor(f"a{n}", f"answer {n}", (n < passing,)) for n in range(count)]


def said(anchor: Anchor, passes: bool | None, turn: int = 0) -> Score:
    return Score("j", "o", anchor.key, turn, passes, None, None, 0.0)


@settings(max_examples=25)
@given(count=st.integers(1, 230), passing=st.integers(0, 230), week=st.integers(0, 10_000))
def test_each_week_has_as_many_of_each_label_as_its_share(
    count: int, passing: int, week: int
) -> None:
    every = anchors(count, min(passing, count))
    found = sample(every, week)
    assert len(found) == len({it.id for it in found}) == min(50, count)
    assert sample(every[::-1], week) == found
    shares = Counter(people_say(it.labels) for it in every)
    for label, taken in Counter(people_say(it.labels) for it in found).items():
        assert abs(taken - len(found) * shares[label] / count) < 1


@pytest.mark.parametrize(("passing", "weeks"), [(100, 4), (60, 4), (10, 5)])
def test_in_a_few_weeks_all_have_their_turn(passing: int, weeks: int) -> None:
    every = anchors(passing=passing)
    for first in (0, 2958):
        found = {it.id for week in range(first, first + weeks) for it in sample(every, week)}
        assert found == {it.id for it in every}


def test_occasions_have_names_that_tell_them_apart() -> None:
    assert (week_of(0.0), week_of(7 * 86_400.0)) == (0, 1)
    assert weekly(7) == "week-7"
    assert calibration(2).startswith(CALIBRATION)


def test_verdicts_are_held_against_what_people_say_now() -> None:
    one, other = anchors(2, 1)
    scores = [said(one, True), said(one, None, 1), said(other, True), said(other, False, 1)]
    assert agreed([one, other], scores) == Agreed(asked=4, known=3, agreed=2)
    assert agreed([one], scores) == Agreed(asked=2, known=1, agreed=1)
    assert [it.labels for it in said_of([one, other], scores)] == [(True, None), (True, False)]
    assert said_of([Anchor("new", "x", (True,))], scores) == []


def test_a_judge_that_falls_silent_is_told_and_one_that_seldom_does_is_not() -> None:
    assert not Agreed(50, 45, 45).is_silent
    assert Agreed(50, 42, 42).is_silent
    assert not Agreed(0, 0, 0).is_silent


def weeks_until_alarm(cusum: Cusum, labels: dict[str, bool], wrong: set[str]) -> int | None:
    """Of a judge that says the contrary of people of these anchors, in two years."""
    every = [Anchor(name, name, (label,)) for name, label in labels.items()]
    now = 0.0
    for week in range(104):
        look = sample(every, week)
        now = cusum.after(now, sum(it.id in wrong for it in look), len(look))
        if cusum.is_over(now):
            return week + 1
    return None


@pytest.mark.parametrize("seed", range(6))
def test_a_judge_that_stays_is_never_alarmed_and_one_that_falls_is_soon(seed: int) -> None:
    draw = Random(seed)
    labels = {f"a{seed}-{n}": n % 2 == 0 for n in range(200)}
    kept = set(draw.sample(sorted(labels), 25))  # kappa 0.75
    fallen = set(draw.sample(sorted(labels), 50))  # 0.5
    cusum = cusum_of(Agreed(200, 200, 175), [Anchor(n, n, (it,)) for n, it in labels.items()])
    assert cusum is not None
    assert weeks_until_alarm(cusum, labels, kept) is None
    weeks = weeks_until_alarm(cusum, labels, fallen)
    assert weeks is not None and weeks <= 6


def test_where_nothing_can_be_told_there_is_nothing_to_add_up() -> None:
    assert cusum_of(Agreed(200, 0, 0), anchors()) is None
    assert cusum_of(Agreed(200, 200, 200), anchors(200, 200)) is None
    assert cusum_of(Agreed(200, 200, 200), anchors()) is not None
