"""The lowest threshold that pairs bear out: exact bounds, what too little comes to, and how often a
threshold that is found falls short after all."""

import random
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.stats.precision import Scored, at, learn, least_pairs, lower_bound


def pairs(*runs: tuple[float, int, int]) -> list[Scored]:
    """So many of a score, of which so many are the same."""
    return [Scored(s, number < same) for s, count, same in runs for number in range(count)]


@given(taken=st.integers(1, 60), data=st.data())
def test_the_bound_is_where_so_many_would_be_seen_once_in_twenty(
    taken: int, data: st.DataObject
) -> None:
    same = data.draw(st.integers(1, taken))
    bound = lower_bound(same, taken)
    tail = sum(
        comb(taken, k) * bound**k * (1 - bound) ** (taken - k) for k in range(same, taken + 1)
    )
    assert tail == pytest.approx(0.05, abs=1e-6)


def test_bounds_that_are_in_tables() -> None:
    assert lower_bound(0, 10) == 0
    assert lower_bound(10, 10) == pytest.approx(0.05 ** (1 / 10))
    assert lower_bound(95, 100) == pytest.approx(0.8977, abs=1e-4)
    assert lower_bound(99_900, 100_000) == pytest.approx(0.99882, abs=1e-5)


def test_so_many_pairs_are_the_least() -> None:
    assert [least_pairs(0.95, wrong) for wrong in range(3)] == [59, 93, 124]
    assert least_pairs(0.99) == 299


def test_the_lowest_score_that_is_borne_out_is_found() -> None:
    known = pairs((0.99, 100, 100), (0.97, 60, 59), (0.95, 40, 20), (0.9, 50, 10))
    learnt = learn(known, 0.95)
    assert learnt.found is not None
    assert (learnt.found.threshold, learnt.found.taken, learnt.found.same) == (0.97, 160, 159)
    assert learnt.found.precision == 159 / 160
    assert learnt.found.recall == 159 / 189
    assert learnt.found.lower == pytest.approx(lower_bound(159, 160))


def test_what_lies_behind_one_that_is_not_borne_out_is_not_looked_at() -> None:
    """Were it, one of many would be by chance."""
    known = pairs((0.99, 100, 100), (0.98, 10, 5), (0.9, 5000, 5000))
    learnt = learn(known, 0.95)
    assert learnt.found is not None
    assert learnt.found.threshold == 0.99


def test_pairs_of_one_score_are_taken_together() -> None:
    assert learn(pairs((0.99, 59, 59), (0.98, 100, 50)), 0.95).found == at(
        pairs((0.99, 59, 59), (0.98, 100, 50)), 0.99
    )
    assert learn(pairs((0.98, 159, 109)), 0.95).found is None


def test_vetoed_pairs_are_never_taken_and_count_for_the_recall() -> None:
    known = pairs((0.99, 60, 60)) + [Scored(1.0, False, "numbers")] * 50
    known += [Scored(0.999, True, "words")] * 20 + [Scored(None, True)] * 5
    learnt = learn(known, 0.95)
    assert learnt.found is not None
    assert (learnt.found.taken, learnt.found.all_same) == (60, 85)
    assert at(known, 0.95, vetoed=False).taken == 130
    assert at(known, 0.95).taken == 60


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ([], "0 pairs pass the veto; 59 have to"),
        (pairs((0.9, 58, 58)), "58 pairs pass the veto; 59 have to"),
        ([Scored(0.9, True, "words")] * 100, "0 pairs pass"),
        (pairs((0.9, 300, 0)), "of the 300 nearest pairs that pass the veto 0 are the same"),
        (pairs((0.9, 59, 58)), "58 are the same: 0.922 at the least, not 0.95"),
    ],
    ids=["none", "few", "vetoed", "wrong", "one wrong"],
)
def test_where_none_is_borne_out_it_says_why(known: list[Scored], why: str) -> None:
    learnt = learn(known, 0.95)
    assert learnt.found is None
    assert learnt.why is not None
    assert why in learnt.why


def test_one_wrong_label_among_the_nearest_does_not_end_it_where_there_are_many() -> None:
    known = [Scored(1 - n / 10_000, n != 3) for n in range(400)]
    learnt = learn(known, 0.95)
    assert learnt.found is not None
    assert learnt.found.taken == 400


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans(), st.sampled_from([None, "x"]))))
def test_a_threshold_takes_what_it_was_found_on(some: list[tuple[float, bool, str | None]]) -> None:
    known = [Scored(*it) for it in some] * 20
    learnt = learn(known, 0.5)
    if learnt.found is not None:
        assert at(known, learnt.found.threshold) == learnt.found
        assert learnt.found.lower >= 0.5


@pytest.mark.parametrize("target", [0.0, 1.0, -1.0])
def test_a_target_is_a_share(target: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        learn([], target)


@pytest.mark.parametrize(
    ("precision", "falls_short"),
    [
        (lambda score: 0.945, lambda threshold: True),
        (lambda score: 0.999 if score > 0.75 else 0.8, lambda threshold: threshold < 0.68),
        (lambda score: 0.90 + 0.1 * score, lambda threshold: threshold < -1),
    ],
    ids=["just short", "a step", "never short"],
)
def test_a_threshold_falls_short_in_at_most_one_sample_of_twenty(precision, falls_short) -> None:  # type: ignore[no-untyped-def]
    """Scores are uniform. Of 500 samples a true 5 % comes to more than 37 once in 100."""
    chance = random.Random(7)
    short = 0
    for _ in range(500):
        scores = [round(chance.random(), 2) for _ in range(400)]
        known = [Scored(s, chance.random() < precision(s)) for s in scores]
        found = learn(known, 0.95).found
        short += found is not None and falls_short(found.threshold)
    assert short <= 37
