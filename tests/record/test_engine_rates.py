"""What two pages say of the time between: never a figure that nobody counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.saved import page, reader

from tidegate.core.engine_signals import (
    ENGINE_SIGNALS,
    Found,
    Measured,
    Measurements,
    Scrape,
)
from tidegate.core.signal import NoData, Value
from tidegate.record.engine_rates import MAX_SPAN_S, measured, nothing


def scrape(**signals: Found) -> Scrape:
    return Scrape({**dict.fromkeys(ENGINE_SIGNALS, NoData("missing")), **signals}, 0)


def counted(*parts: float, alias: str = "a") -> Scrape:
    found = Found(alias, {str(at): value for at, value in enumerate(parts)})
    return scrape(engine_output_tokens=found)


def rate(before: Scrape | None, now: Scrape, span_s: float = 10.0) -> Measured | NoData:
    return measured(before, now, span_s)["engine_output_tokens"]


def values(found: Measurements) -> dict[str, float]:
    told = {name: one.reading for name, one in found.items() if isinstance(one, Measured)}
    return {name: one.value for name, one in told.items() if isinstance(one, Value)}


def test_of_two_saved_pages_four_seconds_apart() -> None:
    now = reader("vllm").read(page("vllm_0_32_later"))
    found = values(measured(reader("vllm").read(page("vllm_0_32")), now, 4.0))
    assert found["engine_running"] == 3.0
    assert found["engine_waiting"] == 14.0
    assert found["engine_kv_cache_usage"] == pytest.approx(0.92, abs=0.01)
    assert found["engine_preemptions"] == pytest.approx(3 / 4)
    assert 0 <= found["engine_prefix_hits"] <= 1
    assert 0 < found["engine_inter_token_s"] < found["engine_decode_s"]
    assert found["engine_queue_s"] > 0


def test_the_first_page_tells_only_levels() -> None:
    found = measured(None, reader("vllm").read(page("vllm_0_32")), 10.0)
    assert {name for name, one in found.items() if isinstance(one, Measured)} == {
        name for name, one in ENGINE_SIGNALS.items() if one.kind == "level"
    }


def test_levels_of_ranks_add_up_or_the_fullest_counts() -> None:
    found = measured(None, reader("vllm").read(page("vllm_two_ranks")), 10.0)
    assert values(found) == {
        "engine_running": 14.0,
        "engine_waiting": 5.0,
        "engine_kv_cache_usage": 0.97,
    }


def test_a_counter_that_fell_tells_nothing_of_that_time() -> None:
    assert rate(counted(10, 10), counted(30, 20)) == Measured(30.0, 10.0, "a")
    assert rate(counted(10, 10), counted(3, 90)) == NoData("missing")
    assert rate(counted(10, 10), counted(40)) == NoData("missing")


def test_a_part_that_is_new_began_at_nothing() -> None:
    assert rate(counted(10), counted(10, 5)) == Measured(5.0, 10.0, "a")


def test_another_name_counts_from_elsewhere() -> None:
    assert rate(counted(10), counted(20, alias="b")) == NoData("missing")


@pytest.mark.parametrize("span_s", [0.0, -5.0, MAX_SPAN_S + 1, float("nan")])
def test_no_rate_over_a_time_that_is_none_or_too_long(span_s: float) -> None:
    assert rate(counted(10), counted(20), span_s) == NoData("too_old")


def test_a_mean_of_nothing_is_no_traffic() -> None:
    queue = Found("q", {"": 5.0}, {"": 10.0})
    found = measured(scrape(engine_queue_s=queue), scrape(engine_queue_s=queue), 10.0)
    told = found["engine_queue_s"]
    assert isinstance(told, Measured)
    assert told.reading == NoData("no_traffic")


def test_a_mean_whose_count_began_anew_is_unknown() -> None:
    before, now = Found("q", {"": 5.0}, {"": 10.0}), Found("q", {"": 6.0}, {"": 2.0})
    found = measured(scrape(engine_queue_s=before), scrape(engine_queue_s=now), 10.0)
    assert found["engine_queue_s"] == NoData("missing")


def test_a_rate_of_nothing_is_zero_and_not_unknown() -> None:
    told = rate(counted(10), counted(10))
    assert isinstance(told, Measured)
    assert told.reading == Value(0.0)


def test_nothing_is_nothing_of_every_signal() -> None:
    assert nothing("unreachable") == dict.fromkeys(ENGINE_SIGNALS, NoData("unreachable"))


@given(
    steps=st.lists(st.floats(0, 1e9), min_size=1, max_size=20),
    resets=st.sets(st.integers(1, 19)),
)
def test_what_is_measured_is_never_more_than_what_was_counted(
    steps: list[float], resets: set[int]
) -> None:
    before, total, counter, told = counted(0.0), 0.0, 0.0, 0.0
    for at, step in enumerate(steps):
        counter = step if at in resets else counter + step
        total += step
        now = counted(counter)
        one = rate(before, now)
        if isinstance(one, Measured):
            assert one.amount >= 0
            told += one.amount
        before = now
    assert told <= total * (1 + 1e-9)
