import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.block import Moments, Tally
from tidegate.stats.late_fold import LEAST_A_GROUP, MAX_WAITING, Before, Found, block_of, cut

_founds = st.lists(
    st.tuples(st.floats(0, 1000), st.sampled_from(["stable", "canary"]), st.booleans()),
    max_size=200,
).map(lambda rows: [Found(seq, at_s, arm, None, bad) for seq, (at_s, arm, bad) in enumerate(rows)])


@given(_founds, st.randoms(use_true_random=False))
def test_groups_have_enough_of_both_arms_and_each_once(found: list[Found], draw: random.Random):
    groups, left_out = cut(found)
    assert left_out == []
    for group in groups:
        arms = [one.arm for one in group]
        assert min(arms.count("stable"), arms.count("canary")) >= LEAST_A_GROUP
    taken = [one for group in groups for one in group]
    assert len(set(taken)) == len(taken) and set(taken) <= set(found)
    assert [one.started_at_s for one in taken] == sorted(one.started_at_s for one in taken)
    rest = [one.arm for one in found if one not in taken]
    assert min(rest.count("stable"), rest.count("canary")) < LEAST_A_GROUP
    shuffled = draw.sample(found, len(found))
    assert cut(shuffled) == cut(found)


@given(_founds)
def test_which_are_compared_does_not_depend_on_what_was_found(found: list[Found]):
    def numbers(several: list[Found]) -> list[list[int]]:
        return [[one.seq for one in group] for group in cut(several).groups]

    assert numbers(found) == numbers([one._replace(is_bad=not one.is_bad) for one in found])


def test_what_comes_fast_is_cut_by_the_minute():
    found = [Found(n, n / 10, ("stable", "canary")[n % 2], None, False) for n in range(3000)]
    groups = cut(found).groups
    assert [len(group) for group in groups] == [600] * 5


def test_the_last_group_does_not_end_with_the_arm_that_was_waited_for():
    """What is bad is told sooner: of what waits the newest are bad, in both arms."""
    of_canary = {10, 20, 30, 40, 100}
    found = [
        Found(n, float(n), "canary" if n in of_canary else "stable", None, n > 90)
        for n in range(200)
    ]
    assert [len(group) for group in cut(found).groups] == [200]


def test_of_very_many_without_the_other_arm_the_oldest_are_never_compared():
    found = [Found(n, float(n), "stable", None, False) for n in range(MAX_WAITING + 30)]
    some = [Found(9999, 0.0, "canary", None, False)]
    assert cut([*found, *some]) == ([], list(range(31)))


def block(*found: Found, before=None):
    return block_of("quality", "chat/v2", 0.1, found, before or {})


def test_a_block_counts_requests_pairs_and_units():
    made = block(
        Found(1, 1.0, "canary", 7, True),
        Found(2, 2.0, "canary", 7, False),
        Found(3, 3.0, "canary", 7, True),
        Found(4, 4.0, "canary", None, True),
        Found(5, 5.0, "stable", 7, False),
    )
    assert made.canary.tallies == {"quality": Tally(4, 3)}
    assert (made.canary.pairs, made.canary.early_pairs, made.canary.bad_pairs) == (
        3,
        3,
        {"quality": 1},
    )
    assert made.canary.by_unit["quality"].count == 1
    assert made.canary.by_unit["quality"].total == pytest.approx(2 / 3)
    assert made.stable.by_unit == {"quality": Moments(1, 0.0, 0.0)}
    assert (made.began_s, made.ended_s, made.late) == (1.0, 5.0, "quality")
    assert made.canary.assigned == made.canary.units == made.canary.fresh == 0


def test_a_unit_speaks_by_the_first_of_a_group_however_many_come():
    said = (True, False, False, False, True, True, True, True)
    found = (Found(n, float(n), "canary", 7, bad) for n, bad in enumerate(said))
    assert block(*found).canary.by_unit["quality"] == Moments(1, 0.25, 0.0625)


def test_what_was_counted_before_makes_pairs_and_who_spoke_is_silent():
    before = {("canary", 7): Before(15, 4, spoke=True), ("canary", 8): Before(2, 1)}
    made = block(
        Found(1, 1.0, "canary", 7, True),
        Found(2, 2.0, "canary", 7, True),
        Found(3, 3.0, "canary", 8, True),
        before=before,
    ).canary
    assert (made.pairs, made.early_pairs) == (15 + 16 + 2, 15 + 2)
    assert made.bad_pairs == {"quality": 4 + 1}
    assert made.by_unit == {"quality": Moments(1, 1.0, 1.0)}
