import random
from math import log1p

import pytest
from tests.stats.release import ERRORS, amounts, arm, block, rollout

from tidegate.core.rollout import HarmMetric
from tidegate.stats.analysis import begin, take
from tidegate.stats.verdict import Verdict, kinds, verdicts

TOKENS = (HarmMetric("output_tokens", 1.15),)


def errors(stable: int, canary: int, blocks: int = 20, margin: float = 0.02) -> Verdict:
    """900 requests of the stable arm and 100 of the canary a block, so many of them bad."""
    of = rollout(HarmMetric("error", margin))
    analysis = begin(of)
    for _ in range(blocks):
        analysis = take(analysis, of, block(arm(900, stable), arm(100, canary)))
    return verdicts(analysis, of)[0]


def tokens(times: float, blocks: int = 10) -> Verdict:
    of, draw = rollout(*TOKENS), random.Random(2)
    analysis = begin(of)
    for _ in range(blocks):
        stable = amounts([log1p(draw.lognormvariate(5, 0.8)) for _ in range(180)])
        canary = amounts([log1p(times * draw.lognormvariate(5, 0.8)) for _ in range(20)])
        analysis = take(analysis, of, block(stable, canary))
    return verdicts(analysis, of)[0]


def test_nothing_is_known_at_first():
    verdict = verdicts(begin(rollout(*ERRORS)), rollout(*ERRORS))[0]
    assert verdict.verdict == "no_data"
    assert (verdict.effect, verdict.needed_units, verdict.smallest_effect) == (None, None, None)


def test_worse_is_harm_equal_is_safe_and_little_is_undecided():
    assert errors(9, 5).verdict == "harm"
    assert errors(9, 1).verdict == "safe"
    assert errors(9, 1, blocks=3).verdict == "undecided"
    assert errors(9, 0).verdict == "safe"


@pytest.mark.parametrize(("margin", "what"), [(0.02, "safe"), (0.001, "harm")])
def test_a_proven_rise_that_is_proven_to_be_small_is_no_harm(margin, what):
    of = rollout(HarmMetric("error", margin))
    analysis = begin(of)
    for _ in range(50):
        analysis = take(analysis, of, block(arm(9000, 90), arm(1000, 14)))
    found = verdicts(analysis, of)[0]
    assert found.e_harm > found.harm_at
    assert found.verdict == what


def test_a_canary_that_was_safe_and_gets_a_little_worse_than_the_margin_is_harm():
    of = rollout(*ERRORS)
    analysis = begin(of)
    for number in range(60):
        analysis = take(analysis, of, block(arm(180, 2), arm(20, number % 3 == 0)))
    assert verdicts(analysis, of)[0].verdict == "safe"
    for _ in range(60):
        analysis = take(analysis, of, block(arm(100, 1), arm(100, 4), 0.5))
    found = verdicts(analysis, of)[0]
    assert found.verdict == "harm"
    assert kinds(analysis, of) == {"error": "harm"}
    assert (found.effect, found.high) > (0.02, 0.02)


def test_the_effect_is_in_points_and_within_its_interval():
    found = errors(9, 4)
    assert found.effect == pytest.approx(0.03, abs=0.001)
    assert found.low < 0.03 < found.high
    assert found.low >= -1
    assert (found.stable_units, found.canary_units) == (18_000, 2_000)


def test_an_amounts_effect_is_a_ratio():
    found = tokens(1.5)
    assert found.effect == pytest.approx(1.5, rel=0.15)
    assert found.low < 1.5 < found.high
    assert found.verdict == "harm"
    assert tokens(1.0, blocks=60).verdict == "safe"


def test_before_fifty_amounts_there_is_no_verdict():
    assert tokens(5.0, blocks=2).verdict == "undecided"
    assert tokens(5.0, blocks=4).verdict == "harm"


def test_metrics_share_the_error_by_their_weight():
    of = rollout(HarmMetric("error", 0.02, weight=3), HarmMetric("invalid", 0.02))
    one, other = verdicts(begin(of), of)
    assert one.harm_at == pytest.approx(4 / 3 / 0.05)
    assert other.harm_at == pytest.approx(4 / 0.05)
    assert one.safe_at == other.safe_at == pytest.approx(20)


def test_what_is_still_needed_is_what_equal_arms_then_took():
    """The prediction after three blocks, and how many the same rate really needed."""
    predicted = errors(9, 1, blocks=3).needed_units
    came = next(blocks for blocks in range(3, 50) if errors(9, 1, blocks).verdict == "safe")
    assert abs(300 + predicted - 100 * came) <= 150
    assert errors(9, 1, blocks=came).needed_units == 0


def test_what_is_still_needed_of_an_amount():
    early = tokens(1.0, blocks=4)
    assert early.verdict == "undecided"
    assert 20 < early.needed_units < 5000
    assert tokens(1.0, blocks=60).needed_units == 0


def test_a_canary_cannot_see_what_is_smaller_than_its_smallest_effect():
    few, many = errors(9, 1, blocks=3), errors(9, 1, blocks=30)
    assert few.smallest_effect > many.smallest_effect > 0
    least = round(100 * (0.01 + many.smallest_effect))
    assert errors(9, least + 2, blocks=30, margin=0.001).verdict == "harm"
    assert errors(9, max(1, least - 2), blocks=30, margin=0.001).verdict != "harm"
    assert tokens(1.0, blocks=3).smallest_effect > tokens(1.0, blocks=30).smallest_effect > 1
