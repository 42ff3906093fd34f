"""llama.cpp, saved from a running one: what it does not tell of is unknown."""

from tests.engines.saved import page, reader, told

from tidegate.core.engine_signals import Found
from tidegate.core.signal import NoData


def test_what_it_says() -> None:
    busy, later = told("llama_cpp", "llama_cpp"), told("llama_cpp", "llama_cpp_later")
    assert busy["engine_running"] == ("llamacpp:requests_processing", 4.0, None)
    assert busy["engine_waiting"] == ("llamacpp:requests_deferred", 2.0, None)
    assert later["engine_output_tokens"] == ("llamacpp:tokens_predicted_total", 240.0, None)
    # 166 prompt tokens were computed, 80 more came from the cache.
    assert later["engine_prefix_hits"] == ("llamacpp:prompt_tokens_cached_total", 80.0, 246.0)


def test_what_it_does_not_say_is_unknown() -> None:
    signals = reader("llama_cpp").read(page("llama_cpp")).signals
    for name in ("engine_kv_cache_usage", "engine_queue_s", "engine_preemptions"):
        assert signals[name] == NoData("missing")


def test_versions_of_before_tell_the_cache() -> None:
    before = page("llama_cpp") + b"llamacpp:kv_cache_usage_ratio 0.5\n"
    found = reader("llama_cpp").read(before).signals["engine_kv_cache_usage"]
    assert found == Found("llamacpp:kv_cache_usage_ratio", {"": 0.5})
