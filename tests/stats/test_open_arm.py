"""What an open arm has heard becomes the sums of its block."""

from math import log1p

import pytest

from tidegate.core.block import Tally
from tidegate.stats.marks import ANSWERED, BAD, ERROR, REFUSAL
from tidegate.stats.open_arm import OpenArm


def test_requests_count_for_each_metric_that_judged_them() -> None:
    arm = OpenArm()
    arm.by_marks = {ANSWERED: 7, ANSWERED | ERROR << BAD: 2, REFUSAL: 1}
    block = arm.closed()
    assert (block.assigned, block.bad) == (10, 2)
    assert (block.tallies["error"], block.tallies["refusal"]) == (Tally(9, 2), Tally(1, 0))
    assert "ttft" not in block.tallies


def test_a_unit_is_the_mean_of_what_its_requests_say_bad_or_not() -> None:
    arm = OpenArm()
    good, bad = (ERROR, 3, 10), (ERROR | ERROR << BAD, None, 30)
    arm.together = [[good, bad], [good]]
    block = arm.closed()
    of = block.by_unit
    assert (of["error"].count, of["error"].total) == (2, pytest.approx(0.5))
    assert of["output_tokens"].total == pytest.approx(2 * log1p(3))
    assert of["cost"].total == pytest.approx((log1p(10) + log1p(30)) / 2 + log1p(10))
    assert block.inverse_sizes == pytest.approx(1.5)


def test_an_arm_that_heard_nothing_says_nothing() -> None:
    block = OpenArm().closed()
    assert (block.assigned, block.tallies, block.moments, block.by_unit) == (0, {}, {}, {})
