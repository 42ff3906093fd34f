"""llama.cpp's page (`--metrics`): no queue time and no preemption are told, the KV cache only by
versions of before and the prefix cache only by those of now. What was cached is not in
`prompt_tokens_total`."""

from tidegate.engines._reader import Source, TableReader, counter

plug = TableReader(
    "llamacpp:",
    {
        "engine_running": (Source("llamacpp:requests_processing"),),
        "engine_waiting": (Source("llamacpp:requests_deferred"),),
        "engine_kv_cache_usage": (Source("llamacpp:kv_cache_usage_ratio"),),
        "engine_prefix_hits": (
            Source(
                "llamacpp:prompt_tokens_cached_total",
                ("llamacpp:prompt_tokens_cached_total", "llamacpp:prompt_tokens_total"),
            ),
        ),
        "engine_inter_token_s": (
            Source("llamacpp:tokens_predicted_seconds_total", ("llamacpp:tokens_predicted_total",)),
        ),
        "engine_input_tokens": counter("llamacpp:prompt_tokens"),
        "engine_output_tokens": counter("llamacpp:tokens_predicted"),
    },
)
