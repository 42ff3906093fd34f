import random

import msgspec
import pytest
from tests.stats.analysed import JUDGED, ROLLOUT, after, judged
from tests.stats.release import ERRORS, amounts, arm, block, rollout

from tidegate.core.block import ArmBlock, Tally
from tidegate.core.rollout import DEFAULT_HARM, HarmMetric
from tidegate.stats.analysis import (
    LENGTH,
    Analysis,
    begin,
    guards,
    kept,
    ratio_broken,
    take,
)
from tidegate.stats.verdict import kinds, verdicts


def test_a_release_without_metrics_of_its_own_has_the_usual_ones():
    assert guards(rollout()) == DEFAULT_HARM
    assert guards(ROLLOUT) == ERRORS


def test_the_length_of_answers_is_always_kept():
    assert [guard.name for guard in kept(ROLLOUT)] == ["error", LENGTH]
    assert kept(rollout()) == DEFAULT_HARM


def test_taking_a_block_changes_nothing_that_was():
    analysis = after(block(arm(300, 3), arm(30, 1)))
    before = msgspec.json.encode(analysis)
    one = take(analysis, ROLLOUT, block(arm(300, 3), arm(30, 5)))
    other = take(analysis, ROLLOUT, block(arm(300, 3), arm(30, 5)))
    assert msgspec.json.encode(analysis) == before
    assert one == other != analysis


def test_it_is_the_same_after_it_was_stored_and_small():
    draw = random.Random(1)
    analysis = begin(rollout())
    blocks = [block(amounts([draw.random() for _ in range(90)]), arm(9, 1), 0.1) for _ in range(5)]
    for each in blocks:
        stored = msgspec.json.encode(analysis)
        assert len(stored) < 8192
        read = msgspec.json.decode(stored, type=Analysis)
        assert take(read, rollout(), each) == take(analysis, rollout(), each)
        analysis = take(analysis, rollout(), each)


def test_little_traffic_adds_up_until_there_is_something_to_compare():
    busy = after(*[block(arm(180, 2), arm(20, 2)) for _ in range(20)])
    drops = [block(arm(18, 0), arm(2, 0)) for _ in range(200)]
    for index in range(0, 200, 10):
        drops[index] = block(arm(18, 2), arm(2, 2))
    slow = after(*drops)
    one, other = verdicts(busy, ROLLOUT)[0], verdicts(slow, ROLLOUT)[0]
    assert slow.waiting is not None
    assert one.verdict == other.verdict == "harm"
    assert other.canary_units > 390


def test_a_request_at_a_time_is_still_compared():
    blocks = []
    for index in range(2000):
        one = arm(1, index % 7 == 0)
        blocks.append(block(ArmBlock(), one) if index % 10 == 0 else block(arm(1, 0), ArmBlock()))
    assert verdicts(after(*blocks), ROLLOUT)[0].verdict == "harm"


def test_blocks_of_different_weights_are_never_compared_with_each_other():
    """Errors rise for everybody at the moment when the weight does."""
    calm = [block(arm(4, 0), arm(0, 0), 0.05) for _ in range(100)]
    storm = [block(arm(0, 0), arm(4, 2), 0.5) for _ in range(100)]
    error = after(*calm, *storm).metrics["error"].requests
    assert error.harm == (0.0,) * 6
    assert error.strata.precision == 0


def test_an_arm_alone_proves_nothing():
    alone = [block(arm(0, 0), arm(500, 400), 1.0) for _ in range(10)]
    verdict = verdicts(after(*alone), ROLLOUT)[0]
    assert (verdict.verdict, verdict.e_harm, verdict.e_safe) == ("no_data", 1.0, 1.0)


def test_others_in_the_canary_than_its_weight_says_void_the_comparison():
    assert ratio_broken(after(*[block(arm(700, 7), arm(300, 3), 0.2) for _ in range(20)]))
    assert not ratio_broken(after(*[block(arm(800, 8), arm(200, 2), 0.2) for _ in range(20)]))


def test_while_the_weight_moves_nothing_is_compared():
    """Only what needs no comparison goes on: the totals, for hard limits."""
    moving = after(*[block(arm(700, 7), arm(300, 300), None) for _ in range(20)])
    assert not ratio_broken(moving)
    assert moving.canary.bad == 6000
    assert verdicts(moving, ROLLOUT)[0].verdict == "no_data"


def test_what_waits_goes_on_when_the_weight_is_known_again():
    few = arm(3, 0)
    found = after(block(few, few, 0.1), block(few, few, None), block(few, few, 0.1))
    assert found.metrics["error"].requests.both().judged == 12
    assert found.waiting is None


def test_how_many_are_slow_is_known_at_once():
    """So that a slow canary is found in the first blocks that have a latency."""
    of = rollout(HarmMetric("ttft", 0.02), HarmMetric("error", 0.02))
    found = after(block(arm(95, 5, "ttft"), arm(60, 40, "ttft")), of=of)
    assert verdicts(found, of)[0].verdict == "harm"
    unknown = after(block(arm(95, 5), arm(60, 40)), of=of)
    assert verdicts(unknown, of)[1].e_harm == 1


def test_a_latency_is_harm_by_its_upper_body_too():
    """No more are very slow, but four in ten are slower than three in four of the stable arm."""
    of = rollout(HarmMetric("ttft", 0.02))
    analysis = begin(of)
    for _ in range(15):
        stable, canary = arm(180, 9, "ttft"), arm(20, 1, "ttft")
        stable.tallies["ttft_body"], canary.tallies["ttft_body"] = Tally(180, 45), Tally(20, 9)
        analysis = take(analysis, of, block(stable, canary))
    found = verdicts(analysis, of)[0]
    assert found.verdict == kinds(analysis, of)["ttft"] == "harm"
    assert found.effect == pytest.approx(0, abs=0.01)
    assert analysis.metrics["ttft"].requests.both() == (3000, 150)


def test_a_metric_of_its_own_margin():
    strict = rollout(HarmMetric("output_tokens", 2.0))
    assert [guard.margin for guard in kept(strict)] == [2.0]


def test_what_is_found_afterwards_is_compared_at_once_and_is_nothing_else():
    plain = after(block(arm(300, 3), arm(3, 0)), of=JUDGED)
    both = after(block(arm(300, 3), arm(3, 0)), judged(1, 4), judged(1, 5), of=JUDGED)
    quality = both.metrics["quality"].requests
    assert (quality.stable.count, quality.canary.total) == (20, 9)
    assert max(quality.harm) > 0  # from the first of them on
    both.metrics["quality"], both.late = plain.metrics["quality"], {}
    assert both == plain


def test_the_order_of_what_is_found_moves_no_count():
    blocks = [judged(1, bad) for bad in range(8)] + [block(arm(90, 1), arm(10, 0))] * 4
    draw = random.Random(2)
    counted = set()
    for _ in range(5):
        draw.shuffle(blocks)
        found = after(*blocks, of=JUDGED)
        counted.add((found.metrics["quality"].requests.both(), found.canary.assigned))
    assert counted == {((160.0, 36.0), 40)}


def test_many_judged_worse_are_harm_and_equal_ones_become_safe():
    assert verdicts(after(*[judged(1, 5)] * 9, of=JUDGED), JUDGED)[1].verdict == "harm"
    equal = after(*[judged(1, 1)] * 120, of=JUDGED)
    assert verdicts(equal, JUDGED)[1].verdict == kinds(equal, JUDGED)["quality"] == "safe"


def test_what_is_found_of_requests_before_it_began_anew_counts_no_more():
    analysis = begin(JUDGED, 100.0)
    analysis = take(analysis, JUDGED, block(arm(90, 1), arm(10, 0)))
    before = take(analysis, JUDGED, judged(1, 9, began_s=99.0))
    assert before == analysis
    assert take(before, JUDGED, judged(1, 9, began_s=100.0)) != analysis


def test_what_no_guard_is_about_or_whose_weight_moved_is_not_compared():
    assert after(judged(1, 9)) == after()
    moved = judged(1, 9)
    moved.weight = None
    assert after(moved, of=JUDGED) == after(of=JUDGED)
