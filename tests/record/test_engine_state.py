"""One engine from page to page: frozen, restarted, gone and back."""

import pytest
from tests.engines.saved import reader
from tests.record.engines import vllm_page

from tidegate.core.engine_signals import ENGINE_SIGNALS, SCRAPE_S, Measured, Measurements
from tidegate.core.signal import NoData, Value
from tidegate.record.engine_state import FROZEN_S, LAST_RETRY_S, EngineState


@pytest.fixture
def state() -> EngineState:
    return EngineState(reader("vllm"))


def value(found: Measurements, name: str) -> Value | NoData:
    one = found[name]
    return one.reading if isinstance(one, Measured) else one


def test_a_rate_is_known_from_the_second_page_on(state: EngineState) -> None:
    assert state.up is None
    first = state.take(vllm_page(1, 100), 0.0)
    assert state.up is True
    assert value(first, "engine_output_tokens") == NoData("missing")
    second = state.take(vllm_page(1, 150), 10.0)
    assert value(second, "engine_output_tokens") == Value(5.0)


def test_a_restart_tells_nothing_of_the_time_in_which_it_was(state: EngineState) -> None:
    state.take(vllm_page(1, 1000), 0.0)
    assert value(state.take(vllm_page(1, 30), 10.0), "engine_output_tokens") == NoData("missing")
    assert value(state.take(vllm_page(1, 60), 20.0), "engine_output_tokens") == Value(3.0)


def test_one_that_has_work_and_never_says_anything_new_is_stale(state: EngineState) -> None:
    found = state.take(vllm_page(3, 100), 0.0)
    at_s = 0.0
    while at_s + SCRAPE_S < FROZEN_S:
        at_s += SCRAPE_S
        found = state.take(vllm_page(3, 100), at_s)
        assert value(found, "engine_running") == Value(3.0)
    found = state.take(vllm_page(3, 100), FROZEN_S)
    assert set(found.values()) == {NoData("stale")}
    assert "nothing on its page changes" in state.why
    found = state.take(vllm_page(3, 101), FROZEN_S + SCRAPE_S)
    assert value(found, "engine_running") == Value(3.0)
    assert not state.why


def test_one_without_work_may_say_the_same_for_ever(state: EngineState) -> None:
    for at in range(30):
        found = state.take(vllm_page(0, 100), at * SCRAPE_S)
        assert value(found, "engine_running") == Value(0.0)


def test_a_page_of_something_else_is_missing(state: EngineState) -> None:
    assert set(state.take(b"<html>\n", 0.0).values()) == {NoData("missing")}
    assert state.up is False
    assert "none of the engine's signals" in state.why


def test_one_that_is_gone_is_asked_less_and_less_often(state: EngineState) -> None:
    at_s, waits = 0.0, []
    for _ in range(5):
        assert set(state.missed(at_s, "ConnectError").values()) == {NoData("unreachable")}
        assert set(state.still_missing()) == set(ENGINE_SIGNALS)
        began_s = at_s
        while not state.is_due(at_s):
            at_s += 1.0
        waits.append(at_s - began_s)
    assert waits == [SCRAPE_S, 2 * SCRAPE_S, 4 * SCRAPE_S, LAST_RETRY_S, LAST_RETRY_S]
    state.take(vllm_page(1, 1), at_s)
    assert state.is_due(at_s)


def test_over_a_short_gap_counters_count_on(state: EngineState) -> None:
    state.take(vllm_page(1, 100), 0.0)
    state.missed(10.0, "ConnectError")
    assert value(state.take(vllm_page(1, 160), 20.0), "engine_output_tokens") == Value(3.0)
    assert value(state.take(vllm_page(1, 999), 900.0), "engine_output_tokens") == NoData("too_old")
