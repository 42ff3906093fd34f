import random
import tracemalloc

import pytest
from tests.stats.release import receipt

from tidegate.core.block import Tally
from tidegate.stats import block_fold
from tidegate.stats.block_fold import (
    COLD_REQUESTS,
    EARLY_REQUESTS,
    FIRST_REQUESTS,
    TOGETHER_S,
    BlockFold,
)


def fold() -> BlockFold:
    return BlockFold("chat/next")


def close(folding: BlockFold, ended_s: float = 10.0):
    return folding.close(ended_s - 10, ended_s, 0.1)


def test_of_nothing_there_is_no_block_and_numbers_go_on():
    folding = BlockFold("chat/next", 7)
    assert close(folding) is None
    folding.add(receipt())
    block = close(folding)
    assert (block.number, block.rollout, block.weight) == (8, "chat/next", 0.1)
    assert (block.began_s, block.ended_s) == (0.0, 10.0)


def test_each_request_is_in_one_block_of_its_arm():
    folding = fold()
    for unit in range(3):
        folding.add(receipt("stable", unit))
    folding.add(receipt("canary", 9, error_code="x", error_fault="provider"))
    first = close(folding)
    folding.add(receipt("canary", 10))
    second = close(folding)
    assert first.stable.tallies["error"] == Tally(3, 0)
    assert first.canary.tallies["error"] == Tally(1, 1)
    assert (first.canary.bad, second.canary.bad) == (1, 0)
    assert second.stable.assigned == 0
    assert second.canary.tallies["error"] == Tally(1, 0)


@pytest.mark.parametrize(
    "members",
    [
        {"arm_forced": True},
        {"rollout": "chat/other"},
        {"rollout": None},
        {"arm": "shadow"},
        {"arm": None},
        {"purpose": "probe"},
        {"purpose": "eval"},
        {"purpose": "evaluation"},
        {"error_code": "invalid_json", "error_fault": "caller", "model_refusal": None},
    ],
)
def test_what_is_no_part_of_the_comparison_is_left_out(members):
    folding = fold()
    folding.add(receipt(**members))
    assert close(folding) is None


def test_a_kept_answer_says_who_came_and_nothing_of_the_release():
    folding = fold()
    for number in range(4):
        folding.add(receipt(unit=number, cache="hit" if number % 2 else "miss"))
    folding.add(receipt(unit=1, cache="joined"))
    folding.add(receipt(unit=9, unit_kind="request", cache="stale"))
    block = close(folding)
    assert (block.stable.units, block.stable.assigned) == (5, 2)


def test_what_a_ladder_gave_of_kept_answers_after_a_failure_is_the_arms():
    folding = fold()
    led = {"rung": "old", "rung_kind": "stale", "rung_reason": "unavailable"}
    folding.add(receipt(unit=1, cache="stale", **led))
    assert close(folding).stable.assigned == 1


def test_a_key_may_have_the_purpose_of_a_probe():
    folding = fold()
    folding.add(receipt(purpose="probe", key_id="k"))
    assert close(folding).stable.assigned == 1


def test_the_first_of_the_canary_are_no_measure_of_latency_and_cost_but_of_answers():
    folding = fold()
    for unit in range(200):
        folding.add(receipt("stable", unit))
    close(folding)
    for unit in range(COLD_REQUESTS + 3):
        folding.add(receipt("canary", unit, ttft_s=9.0))
    canary = close(folding).canary
    assert canary.assigned == COLD_REQUESTS + 3
    assert canary.tallies["error"].judged == COLD_REQUESTS + 3
    assert canary.tallies["ttft"] == Tally(3, 3)
    assert canary.moments["output_tokens"].count == COLD_REQUESTS + 3
    assert canary.moments["cost"].count == 3
    assert canary.costed == COLD_REQUESTS + 3


def test_slow_is_slower_than_the_stable_arm_was_before_the_block():
    folding = fold()
    for unit in range(200):
        folding.add(receipt("stable", unit, ttft_s=unit / 100))
    assert "ttft" not in close(folding).stable.tallies
    for unit in range(200):
        folding.add(receipt("stable", unit, ttft_s=unit / 100))
    tallies = close(folding).stable.tallies
    assert tallies["ttft"] == Tally(200, 9)
    assert tallies["ttft_body"] == Tally(200, 49)


FAILED = {"error_code": "x", "error_fault": "provider"}


def test_a_unit_speaks_once_by_the_mean_of_its_first():
    folding = fold()
    for number in range(FIRST_REQUESTS + 2):
        folding.add(receipt("stable", 5, **(FAILED if number in (0, 5) else {})))
    for _ in range(2):
        folding.add(receipt("stable", 6))
    block = close(folding)
    assert block.stable.by_unit == {}
    assert (block.stable.units, block.stable.assigned) == (2, FIRST_REQUESTS + 4)
    stable = close(folding, TOGETHER_S).stable
    errors = stable.by_unit["error"]
    assert (errors.count, errors.total, errors.squares) == (2, 0.25, 0.0625)
    assert stable.by_unit["output_tokens"].count == 2
    assert stable.inverse_sizes == 1 / FIRST_REQUESTS + 1 / 2
    folding.add(receipt("stable", 5))
    assert close(folding, 2 * TOGETHER_S).stable.by_unit == {}


def test_pairs_of_a_units_requests_say_how_alike_they_are():
    folding = fold()
    for number in range(EARLY_REQUESTS + 4):
        folding.add(receipt("stable", 5, **(FAILED if number in (1, 3, 7, 19) else {})))
    folding.add(receipt("stable", 6, **FAILED))
    stable = close(folding).stable
    assert stable.pairs == 20 * 19 / 2
    assert stable.early_pairs == EARLY_REQUESTS * (EARLY_REQUESTS - 1) / 2
    assert stable.bad_pairs == {"error": 3}


def test_a_clock_that_steps_back_makes_no_unit_wait_for_ever():
    folding = fold()
    folding.add(receipt("canary", 5))
    close(folding, 1e9)
    assert close(folding, 10.0).canary.by_unit["error"].count == 1


def test_at_another_weight_everybody_speaks_again():
    """Else those who move over would be compared with newcomers alone."""
    folding = fold()
    for unit in (1, 2, 3):
        folding.add(receipt("stable", unit))
    folding.close(0, 10, 0.1)
    folding.add(receipt("stable", 1, **FAILED))
    folding.add(receipt("canary", 2, **FAILED))
    changed = folding.close(10, 20, 0.5)
    assert changed.stable.by_unit["error"].count == 3
    assert changed.canary.by_unit == {}
    folding.add(receipt("stable", 1))
    folding.add(receipt("canary", 2))
    after = folding.close(20, 20 + TOGETHER_S, 0.5)
    assert after.stable.by_unit["error"].count == 1
    assert after.canary.by_unit["error"].count == 1


def test_while_the_weight_moves_nobody_begins_to_speak():
    folding = fold()
    folding.add(receipt("stable", 1))
    folding.close(0, 10, 0.1)
    folding.add(receipt("stable", 2))
    folding.add(receipt("canary", 3))
    moving = folding.close(10, 10 + 2 * TOGETHER_S, None)
    assert (moving.weight, moving.stable.by_unit, moving.canary.by_unit) == (None, {}, {})
    then = folding.close(130, 140, 0.1)
    assert then.stable.by_unit["error"].count == 1
    assert then.canary.by_unit == {}


def test_a_release_that_begins_while_its_weight_moves_begins_with_the_first_that_is_known():
    folding = fold()
    folding.add(receipt("canary", 3))
    folding.close(0, 10, None)
    folding.close(10, 20, 0.1)
    folding.add(receipt("canary", 3))
    assert folding.close(20, 20 + TOGETHER_S, 0.1).canary.by_unit["error"].count == 1


def test_a_unit_that_moves_over_is_new_to_the_arm_and_not_to_the_release():
    folding = fold()
    folding.add(receipt("stable", 5))
    close(folding)
    folding.add(receipt("canary", 5))
    folding.add(receipt("canary", 6))
    block = close(folding)
    assert (block.canary.units, block.canary.fresh) == (2, 1)


def test_without_a_sticky_unit_each_request_is_its_own():
    folding = fold()
    folding.add(receipt(unit_kind="request"))
    folding.add(receipt(unit_kind="request"))
    folding.add(receipt(unit=None, unit_kind=None))
    block = close(folding)
    assert (block.stable.units, block.stable.fresh, block.stable.by_unit) == (3, 3, {})


def test_unknown_tokens_and_cost_are_not_counted_as_none():
    folding = fold()
    folding.add(receipt(output_tokens=None, cost_nanousd=None, cache_read_tokens=10))
    block = close(folding)
    assert block.stable.moments == {}
    assert (block.stable.costed, block.stable.cached) == (0, 1)


def test_what_stable_requests_cost_at_most_is_told_once_it_is_known():
    folding = fold()
    for unit in range(100):
        folding.add(receipt("stable", unit, cost_nanousd=unit))
    assert close(folding).dear_nanousd == 99


def test_units_are_forgotten_oldest_first(monkeypatch):
    monkeypatch.setattr(block_fold, "MAX_UNITS", 10)
    folding = fold()
    for unit in range(15):
        folding.add(receipt("stable", unit))
    folding.close(0, TOGETHER_S, 0.1)
    folding.add(receipt("stable", 0))
    folding.add(receipt("stable", 14))
    assert close(folding, TOGETHER_S + 10).stable.units == 1


def test_no_more_units_wait_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(block_fold, "MAX_TOGETHER", 10)
    folding = fold()
    for unit in range(15):
        folding.add(receipt("stable", unit))
    assert folding.close(0, TOGETHER_S, 0.1).stable.by_unit["error"].count == 10


def test_memory_is_bounded_whoever_comes():
    folding, draw = fold(), random.Random(4)
    one = receipt("stable", 1)
    tracemalloc.start()
    try:
        sizes = []
        for number in range(20_000):
            one.unit = draw.getrandbits(64)
            one.ttft_s = draw.random()
            folding.add(one)
            if number % 1000 == 999:
                close(folding, number / 10)
                sizes.append(tracemalloc.get_traced_memory()[0] / number)
    finally:
        tracemalloc.stop()
    assert sizes[-1] < 400


def test_a_guest_is_no_unit_and_does_not_speak_but_its_requests_count():
    folding = fold()
    for unit in (1, 2, 2, 3):
        folding.add(receipt("stable", unit, error_code="x", error_fault="provider"))
    folding.add(receipt("canary", 3))
    assert folding.arrived() == {1, 2, 3}
    folding.disown({2, 3}, 2)
    first = close(folding)
    assert (first.stable.units, first.stable.fresh, first.canary.units) == (1, 1, 0)
    assert (first.stable.assigned, first.stable.bad) == (4, 4)
    assert folding.arrived() == set()
    for weight in (0.1, 0.2, 0.2):  # nor at another weight
        folding.add(receipt("stable", 2))
        block = folding.close(0.0, TOGETHER_S * 2, weight)
        assert "error" not in block.stable.by_unit or block.stable.by_unit["error"].count == 1


@pytest.mark.parametrize(("nodes", "guests", "times"), [(2, 0, 1), (2, 5, 2), (4, 5, 3), (5, 8, 5)])
def test_pairs_are_as_many_as_where_one_recorder_saw_all(nodes, guests, times):
    folding = fold()
    for unit in range(10):
        folding.add(receipt("stable", unit))
        folding.add(receipt("stable", unit))
    folding.disown(set(range(guests)), nodes)
    assert close(folding).stable.pairs == 10 * times


def test_recorders_together_count_each_unit_once():
    """Users whose requests go anywhere, at four recorders and at one."""
    draw, home = random.Random(7), {}
    several, alone = [fold() for _ in range(4)], fold()
    totals = [[0, 0, 0], [0, 0, 0]]  # units, those that spoke, pairs
    for look in range(12):
        for _ in range(400):
            unit = draw.randrange(300)
            one = receipt("stable", unit)
            alone.add(one)
            several[draw.randrange(4)].add(one)
        for node, one in enumerate(several):
            guests = {unit for unit in one.arrived() if home.setdefault(unit, node) != node}
            one.disown(guests, 4)
        for sums, folds in zip(totals, (several, [alone]), strict=True):
            for one in folds:
                arm = one.close(look * 10, look * 10 + 10, 0.1).stable
                spoken = arm.by_unit.get("error")
                for place, value in enumerate(
                    (arm.units, spoken.count if spoken else 0, arm.pairs)
                ):
                    sums[place] += value
    assert totals[0][:2] == totals[1][:2] == [300, 300]
    assert totals[0][2] == pytest.approx(totals[1][2], rel=0.15)
