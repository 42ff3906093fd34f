from prometheus_client.parser import text_string_to_metric_families

from tidegate.capacity.engine import Engine
from tidegate.capacity.profiles import profile
from tidegate.capacity.request import Request
from tidegate.sim import metrics

# Names of vLLM 0.19 and later, as a scrape shows them.
NAMES = {
    *("num_requests_running", "num_requests_waiting", "num_requests_waiting_by_reason"),
    *("kv_cache_usage_perc", "cache_config_info", "prefix_cache_queries", "prefix_cache_hits"),
    *("prompt_tokens", "prompt_tokens_cached", "prompt_tokens_by_source", "generation_tokens"),
    *("num_preemptions", "request_success", "time_to_first_token_seconds"),
    *("inter_token_latency_seconds", "request_time_per_output_token_seconds"),
    *("e2e_request_latency_seconds", "request_queue_time_seconds", "request_prefill_time_seconds"),
    *("request_decode_time_seconds", "request_inference_time_seconds", "request_prompt_tokens"),
    *("request_generation_tokens", "iteration_tokens_total"),
}


def scrape(engine: Engine, model: str = "m"):
    page = metrics.render(engine, model).decode()
    return {f.name.removeprefix("vllm:"): f for f in text_string_to_metric_families(page)}


def test_the_page_has_vllms_names_and_its_labels():
    families = scrape(Engine(profile("tiny")), 'a"b')
    assert set(families) == NAMES
    for name, family in families.items():
        for sample in family.samples:
            assert sample.labels["engine"] == "0"
            assert name == "cache_config_info" or sample.labels["model_name"] == 'a"b'


def test_the_figures_are_the_engines():
    engine = Engine(profile("tiny"))
    engine.submit(Request("a", 20, 5, reason="length"), 0.0)
    engine.submit(Request("b", 20, 5), 0.0)
    engine.abort("b", 0.0)
    engine.advance(0.0)
    running = scrape(engine)
    assert running["num_requests_running"].samples[0].value == 1
    assert 0 < running["kv_cache_usage_perc"].samples[0].value < 1
    engine.advance(100.0)
    done = scrape(engine)
    assert done["generation_tokens"].samples[0].value == 5
    assert done["prompt_tokens"].samples[0].value == 20
    by_reason = {s.labels["finished_reason"]: s.value for s in done["request_success"].samples}
    assert by_reason == {"stop": 0, "length": 1, "abort": 1}
    ttft = done["time_to_first_token_seconds"].samples
    assert [s.value for s in ttft if s.name.endswith("_count")] == [1]
    buckets = [s.value for s in ttft if s.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
