"""The engine's readings under the names that vLLM gives them."""

from collections.abc import Iterator

from tidegate.capacity.engine import Engine
from tidegate.capacity.readings import Histogram

CONTENT_TYPE = b"content-type: text/plain; version=0.0.4; charset=utf-8\r\n"


def render(engine: Engine, model: str) -> bytes:
    """The page of `/metrics`, in Prometheus' text format."""
    return "".join(_lines(engine, model)).encode()


def _lines(engine: Engine, model: str) -> Iterator[str]:
    now = engine.readings()
    profile = engine.profile
    name = model.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    labels = f'engine="0",model_name="{name}"'
    gauges: tuple[tuple[str, str, float], ...] = (
        ("num_requests_running", "", now.running),
        ("num_requests_waiting", "", now.waiting),
        ("num_requests_waiting_by_reason", ',reason="capacity"', now.waiting),
        ("num_requests_waiting_by_reason", ',reason="deferred"', 0),
        ("kv_cache_usage_perc", "", now.kv_usage),
    )
    yield from _samples("gauge", gauges, labels)
    yield (
        "# TYPE vllm:cache_config_info gauge\n"
        f'vllm:cache_config_info{{block_size="{profile.block_tokens}",enable_prefix_caching="True",'
        f'engine="0",num_gpu_blocks="{profile.kv_blocks}"}} 1.0\n'
    )
    computed = now.prompt_tokens - now.prefix_hit_tokens
    counters: tuple[tuple[str, str, float], ...] = (
        ("prefix_cache_queries_total", "", now.prefix_query_tokens),
        ("prefix_cache_hits_total", "", now.prefix_hit_tokens),
        ("prompt_tokens_total", "", now.prompt_tokens),
        ("prompt_tokens_cached_total", "", now.prefix_hit_tokens),
        ("prompt_tokens_by_source_total", ',source="local_compute"', computed),
        ("prompt_tokens_by_source_total", ',source="local_cache_hit"', now.prefix_hit_tokens),
        ("prompt_tokens_by_source_total", ',source="external_kv_transfer"', 0),
        ("generation_tokens_total", "", now.generation_tokens),
        ("num_preemptions_total", "", now.preemptions),
        *(
            ("request_success_total", f',finished_reason="{reason}"', now.finished.get(reason, 0))
            for reason in ("stop", "length", "abort")
        ),
    )
    yield from _samples("counter", counters, labels)
    seen = engine.histograms
    for metric, histogram in (
        ("time_to_first_token_seconds", seen.ttft_s),
        ("inter_token_latency_seconds", seen.inter_token_s),
        ("request_time_per_output_token_seconds", seen.time_per_output_token_s),
        ("e2e_request_latency_seconds", seen.e2e_s),
        ("request_queue_time_seconds", seen.queue_s),
        ("request_prefill_time_seconds", seen.prefill_s),
        ("request_decode_time_seconds", seen.decode_s),
        ("request_inference_time_seconds", seen.inference_s),
        ("request_prompt_tokens", seen.prompt_tokens),
        ("request_generation_tokens", seen.generation_tokens),
        ("iteration_tokens_total", seen.step_tokens),
    ):
        yield from _histogram(metric, histogram, labels)


def _samples(kind: str, samples: tuple[tuple[str, str, float], ...], labels: str) -> Iterator[str]:
    previous = ""
    for name, extra, value in samples:
        if name != previous:
            yield f"# TYPE vllm:{name} {kind}\n"
            previous = name
        yield f"vllm:{name}{{{labels}{extra}}} {float(value)!r}\n"


def _histogram(name: str, histogram: Histogram, labels: str) -> Iterator[str]:
    yield f"# TYPE vllm:{name} histogram\n"
    below = 0
    for bound, count in zip(histogram.bounds, histogram.counts, strict=False):
        below += count
        yield f'vllm:{name}_bucket{{{labels},le="{bound!r}"}} {float(below)!r}\n'
    yield f'vllm:{name}_bucket{{{labels},le="+Inf"}} {float(histogram.count)!r}\n'
    yield f"vllm:{name}_sum{{{labels}}} {float(histogram.total)!r}\n"
    yield f"vllm:{name}_count{{{labels}}} {float(histogram.count)!r}\n"
