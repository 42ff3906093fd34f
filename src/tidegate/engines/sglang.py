"""SGLang's page (`--enable-metrics`). Ranks that share a model tell of the same requests; only
those that run side by side (`dp_rank`) are added up."""

from tidegate.engines._reader import Source, TableReader, counter, mean, share

plug = TableReader(
    "sglang:",
    {
        "engine_running": (Source("sglang:num_running_reqs"),),
        "engine_waiting": (Source("sglang:num_queue_reqs"),),
        "engine_kv_cache_usage": (Source("sglang:token_usage"),),
        "engine_prefix_hits": share("sglang:cached_tokens", "sglang:prompt_tokens"),
        "engine_queue_s": mean("sglang:queue_time_seconds"),
        "engine_preemptions": (
            *counter("sglang:num_retracted_requests"),
            Source("sglang:num_retractions_sum"),
        ),
        "engine_ttft_s": mean("sglang:time_to_first_token_seconds"),
        "engine_inter_token_s": (
            *mean("sglang:inter_token_latency_seconds"),
            *mean("sglang:time_per_output_token_seconds"),
        ),
        "engine_input_tokens": counter("sglang:prompt_tokens"),
        "engine_output_tokens": counter("sglang:generation_tokens"),
        "engine_finished": counter("sglang:num_requests"),
    },
    twins=("tp_rank", "pp_rank", "moe_ep_rank"),
)
