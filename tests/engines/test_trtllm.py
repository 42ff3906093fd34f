"""TensorRT-LLM's page, which is not at the usual path."""

from tests.engines.saved import reader, told


def test_what_it_says() -> None:
    found = told("trtllm", "trtllm")
    assert reader("trtllm").path == "/prometheus/metrics"
    assert found["engine_prefix_hits"] == ("trtllm_prompt_cached_tokens_total", 1500.0, 5000.0)
    assert found["engine_finished"] == ("trtllm_request_success_total", 20.0, None)
    assert "engine_preemptions" not in found
