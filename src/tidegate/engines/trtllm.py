"""The page of `trtllm-serve`. What it has at `/metrics` is another form (JSON, by iteration)."""

from tidegate.engines._reader import Source, TableReader, counter, mean, share

plug = TableReader(
    "trtllm_",
    {
        "engine_running": (Source("trtllm_num_requests_running"),),
        "engine_waiting": (Source("trtllm_num_requests_waiting"),),
        "engine_kv_cache_usage": (Source("trtllm_kv_cache_utilization"),),
        "engine_prefix_hits": share("trtllm_prompt_cached_tokens", "trtllm_prompt_tokens"),
        "engine_queue_s": mean("trtllm_request_queue_time_seconds"),
        "engine_prefill_s": mean("trtllm_request_prefill_time_seconds"),
        "engine_decode_s": mean("trtllm_request_decode_time_seconds"),
        "engine_ttft_s": mean("trtllm_time_to_first_token_seconds"),
        "engine_input_tokens": counter("trtllm_prompt_tokens"),
        "engine_output_tokens": counter("trtllm_generation_tokens"),
        "engine_finished": counter("trtllm_request_success"),
    },
    path="/prometheus/metrics",
)
