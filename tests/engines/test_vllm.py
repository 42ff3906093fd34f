"""vLLM under its names of now (0.32, saved from a running one) and of before (0.8)."""

from tests.engines.saved import page, reader, told

from tidegate.core.engine_signals import ENGINE_SIGNALS, Found
from tidegate.core.signal import NoData


def test_names_of_now() -> None:
    found = told("vllm", "vllm_0_32")
    assert set(found) == set(ENGINE_SIGNALS)
    assert found["engine_running"] == ("vllm:num_requests_running", 3.0, None)
    assert found["engine_kv_cache_usage"][0] == "vllm:kv_cache_usage_perc"
    assert found["engine_prefix_hits"][0] == "vllm:prefix_cache_hits_total"
    assert found["engine_preemptions"] == ("vllm:num_preemptions_total", 2.0, None)
    assert found["engine_inter_token_s"][0] == "vllm:inter_token_latency_seconds"


def test_names_of_before() -> None:
    found = told("vllm", "vllm_0_8")
    assert found["engine_kv_cache_usage"] == ("vllm:gpu_cache_usage_perc", 0.62, None)
    assert found["engine_prefix_hits"] == ("vllm:gpu_prefix_cache_hits_total", 250.0, 1000.0)
    assert found["engine_inter_token_s"] == ("vllm:time_per_output_token_seconds", 40.0, 4000.0)
    assert found["engine_waiting"] == ("vllm:num_requests_waiting", 3.0, None)
    assert "engine_prefill_s" not in found


def test_where_both_are_there_the_newer_answers() -> None:
    both = page("vllm_0_8") + page("vllm_0_32")
    found = reader("vllm").read(both).signals["engine_kv_cache_usage"]
    assert isinstance(found, Found)
    assert found.alias == "vllm:kv_cache_usage_perc"


def test_only_those_wait_that_wait_for_room() -> None:
    alias, waiting, _ = told("vllm", "vllm_two_ranks")["engine_waiting"]
    assert (alias, waiting) == ("vllm:num_requests_waiting_by_reason{reason=capacity}", 5.0)


def test_ranks_are_parts_of_their_own() -> None:
    found = reader("vllm").read(page("vllm_two_ranks")).signals
    kv = found["engine_kv_cache_usage"]
    assert isinstance(kv, Found)
    assert sorted(kv.parts.values()) == [0.25, 0.97]
    assert found["engine_queue_s"] == NoData("missing")


def test_a_share_beyond_the_whole_is_not_believed() -> None:
    percent = page("vllm_two_ranks").replace(b"0.97", b"97.0")
    assert reader("vllm").read(percent).signals["engine_kv_cache_usage"] == NoData("not_finite")
