"""Requests of one unit that are alike count as one."""

import pytest
from tests.stats.analysed import JUDGED, after, judged
from tests.stats.release import arm, block, rollout

from tidegate.core.block import Tally
from tidegate.core.rollout import HarmMetric
from tidegate.stats.analysis import LENGTH
from tidegate.stats.by_unit import is_by_unit
from tidegate.stats.verdict import kinds, verdicts


def test_one_request_a_unit_is_compared_by_requests():
    assert not is_by_unit(after(block(arm(300, 3), arm(30, 1))), "error")


@pytest.mark.parametrize(("bad_pairs", "by_unit"), [(300, True), (36, False)])
def test_units_whose_requests_are_alike_are_compared_by_units(bad_pairs, by_unit):
    """Of 40,000 pairs of requests of which 3 % were bad: bad together, or independently."""
    stable, canary = arm(18_000, 540), arm(2_000, 60)
    for side, pairs in ((stable, 36_000), (canary, 4_000)):
        side.pairs = side.early_pairs = pairs
        side.bad_pairs["error"] = bad_pairs * pairs // 40_000
    assert is_by_unit(after(block(stable, canary)), "error") is by_unit


def test_returning_units_of_which_nothing_is_known_are_compared_by_units():
    stable, canary = arm(3000, 30), arm(300, 3)
    stable.pairs, canary.pairs = 9_000, 900
    assert is_by_unit(after(block(stable, canary)), "error")
    assert is_by_unit(after(block(stable, canary)), LENGTH)


def test_users_whose_upper_body_is_alike_are_compared_by_units():
    of = rollout(HarmMetric("ttft", 0.02))
    stable, canary = arm(18_000, 900, "ttft"), arm(2_000, 100, "ttft")
    for side, pairs in ((stable, 36_000), (canary, 4_000)):
        side.tallies["ttft_body"] = Tally(side.assigned, side.assigned // 4)
        side.pairs = side.early_pairs = pairs
        side.bad_pairs = {"ttft": pairs // 400, "ttft_body": pairs // 16}
    assert not is_by_unit(after(block(stable, canary), of=of), "ttft")
    stable.bad_pairs["ttft_body"] *= 3
    assert is_by_unit(after(block(stable, canary), of=of), "ttft")


def test_one_users_many_ratings_are_one_units():
    alone = {"pairs": 45, "early_pairs": 45}
    worse = [judged(1, 5, **alone, bad_pairs={"quality": 10})] * 30
    found = after(*worse, of=JUDGED)
    assert is_by_unit(found, "quality") and not is_by_unit(found, "error")
    assert kinds(found, JUDGED)["quality"] == verdicts(found, JUDGED)[1].verdict != "harm"
    apart = after(*[judged(1, 5, pairs=2, early_pairs=2)] * 300, of=JUDGED)
    assert not is_by_unit(apart, "quality")
