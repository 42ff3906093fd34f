"""What a receipt is to its bin."""

from math import nan
from typing import Any

import pytest
from tests.stores import rig as stores

from tidegate.core.bin import COUNTS, OTHERS, Bin, BinKey
from tidegate.core.purpose import BATCH_HOLD
from tidegate.core.receipt import Receipt
from tidegate.core.sli import Patience
from tidegate.core.turn_bound import TurnBound
from tidegate.record import bins
from tidegate.record.bins import Bins
from tidegate.stats.histogram import bucket_of

NOON_S = 1_790_000_040


def folded(*receipts: Receipt) -> dict[BinKey, Bin]:
    found = Bins()
    for one in receipts:
        found.fold(one)
    return found.take()


def only(*receipts: Receipt) -> Bin:
    [found] = folded(*receipts).values()
    return found


def count(whole: Bin, name: str) -> int:
    return whole.counts[COUNTS.index(name)]


def made(**fields: Any) -> Receipt:
    return stores.receipt(NOON_S, **fields)


def test_a_request_is_of_the_minute_in_which_it_ended() -> None:
    [key] = folded(made(total_s=61.0))
    assert key == BinKey(NOON_S + 60, "chat-fast", "stable", "", "small")


def test_no_release_under_way_is_the_stable_arm() -> None:
    keys = folded(made(), made(arm="stable", rollout="r"), made(arm="canary", rollout="r"))
    assert sorted(key.arm for key in keys) == ["canary", "stable"]
    assert sum(count(one, "requests") for one in keys.values()) == 3


@pytest.mark.parametrize("at_s", [-5.0, nan, 1e300])
def test_what_no_clock_says_is_of_no_time(at_s: float) -> None:
    odd = stores.receipt()
    odd.started_at_s = at_s
    [key] = folded(odd)
    assert key.minute_s == 0


def test_what_is_unknown_is_counted_as_such_and_not_as_nothing() -> None:
    unknown = made(input_tokens=None, output_tokens=None, cost_nanousd=None)
    never_sent = made(input_tokens=None, output_tokens=None, cost_nanousd=None, attempts=[])
    whole = only(made(), unknown, never_sent)
    assert count(whole, "requests") == 3
    assert count(whole, "tokens_unknown") == count(whole, "cost_unknown") == 1
    assert count(whole, "cost_nanousd") == 5000
    assert whole.histograms["output_tokens"] == {bucket_of(20): 1}


def test_tokens_are_summed_up_by_class() -> None:
    every = {"cache_read_tokens": 3, "cache_write_tokens": 4, "reasoning_tokens": 5}
    whole = only(made(**every), made(**every))
    assert {name: count(whole, name) for name in (*every, "input_tokens", "output_tokens")} == {
        "cache_read_tokens": 6,
        "cache_write_tokens": 8,
        "reasoning_tokens": 10,
        "input_tokens": 200,
        "output_tokens": 40,
    }


def test_ends_are_counted_by_what_they_are() -> None:
    whole = only(
        made(),
        made(error_code="upstream_unavailable", error_fault="provider", interrupted=True),
        made(model_refusal="full", validity="truncated"),
        made(model_refusal="partial"),
    )
    assert [count(whole, name) for name in ("failed", "interrupted", "refused", "truncated")] == [
        *(1, 1, 1, 1)
    ]
    assert whole.codes == {"upstream_unavailable": 1}
    assert count(whole, "availability_good") == 3
    assert count(whole, "availability_bad") == 1


def test_times_are_kept_as_histograms() -> None:
    whole = only(made(stream=True, ttft_s=0.5, itl_mean_s=0.02), made(itl_mean_s=nan))
    assert whole.histograms["ttft"] == {bucket_of(0.5): 1}
    assert whole.histograms["itl"] == {bucket_of(0.02): 1}
    assert whole.histograms["total_time"] == {bucket_of(1.0): 2}


def test_a_turn_is_judged_by_its_route_s_bound_where_it_has_one() -> None:
    bound = Patience(turn=TurnBound(0.5, 0.01))  # of 20 tokens, 0.7 s
    found = Bins(lambda route: bound if route == "talk" else Patience())
    for route in ("talk", "chat"):
        for total_s in (0.4, 0.7, 0.8, nan):
            found.fold(made(route=route, total_s=total_s))
        found.fold(made(route=route, total_s=0.6, output_tokens=None))
        found.fold(made(route=route, total_s=0.6, endpoint="embeddings"))
    sums = {"talk": [0, 0], "chat": [0, 0]}
    for key, one in found.take().items():
        sums[key.route][0] += count(one, "turn_time_good")
        sums[key.route][1] += count(one, "turn_time_bad")
    assert sums == {"talk": [2, 1], "chat": [0, 0]}


def test_the_gateway_s_own_probes_are_nobody_s_traffic() -> None:
    assert folded(made(key_id=None, purpose="probe")) == {}


def test_callers_are_kept_together_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bins, "MAX_CALLERS", 2)
    whole = only(*(made(customer=f"c{number % 4}") for number in range(12)))
    assert whole.callers[OTHERS, OTHERS, OTHERS] == [6, 0, 30000]
    assert whole.callers["blue", "c1", "aaaa0000"] == [3, 0, 15000]


def test_codes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bins, "MAX_CODES", 2)
    whole = only(*(made(error_code=f"e{number % 4}") for number in range(12)))
    assert whole.codes == {"e0": 3, "e1": 3, OTHERS: 6}


def test_units_are_summed_up_unless_somebody_chose_their_arm_or_measures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bins, "MAX_UNITS", 2)
    of = {"rollout": "r", "arm": "stable", "unit_kind": "user"}
    whole = only(
        made(unit=1, ttft_s=2.0, **of),
        made(unit=1, cost_nanousd=None, error_code="internal", **of),
        made(unit=2, **of),
        made(unit=3, **of),
        made(unit=2, arm_forced=True, **of),
        made(unit=2, purpose="evaluation", **of),
    )
    assert whole.units == {1: [2, 1, 1, 2.0, 2, 40, 1, 5000], 2: [1, 0, 0, 0, 1, 20, 1, 5000]}


def test_what_was_taken_is_not_there_any_more() -> None:
    found = Bins()
    found.fold(made())
    assert len(found) == 1
    assert len(found.take()) == 1
    assert len(found) == 0
    assert found.take() == {}


def test_what_a_prefix_cache_had_is_told_apart_from_what_nobody_told() -> None:
    usual = {"input_tokens": 10, "output_tokens": 1}
    found = only(
        made(**usual, cache_read_tokens=90, prefix_saved_nanousd=700),
        made(**usual, cache_write_tokens=40, prefix_saved_nanousd=-1000),
        made(**usual, cache_read_tokens=5),
        made(**usual, cache_read_tokens=0),
        made(**usual, cache_read_tokens=None, cache_write_tokens=None),
        made(input_tokens=3, output_tokens=None, endpoint="embeddings"),
    )
    assert (count(found, "cache_read_tokens"), count(found, "cache_write_tokens")) == (95, 40)
    assert count(found, "prefix_told_tokens") == 100 + 50 + 15 + 10
    assert (count(found, "prefix_untold"), count(found, "prefix_saved_nanousd")) == (1, -300)
    assert count(found, "prefix_saved_unknown") == 1


def test_what_a_batch_holds_is_no_request() -> None:
    assert folded(made(purpose=BATCH_HOLD, cost_nanousd=None, most_nanousd=7)) == {}
