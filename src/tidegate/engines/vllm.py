"""vLLM's page, under the names of its present versions and of those before.

Requests that wait for a LoRA slot or for another engine's KV cache are no queue: where reasons are
told, only those that wait for room count.
"""

from tidegate.engines._reader import Source, TableReader, counter, mean, share

plug = TableReader(
    "vllm:",
    {
        "engine_running": (Source("vllm:num_requests_running"),),
        "engine_waiting": (
            Source("vllm:num_requests_waiting_by_reason", label=("reason", "capacity")),
            Source("vllm:num_requests_waiting"),
        ),
        "engine_kv_cache_usage": (
            Source("vllm:kv_cache_usage_perc"),
            Source("vllm:gpu_cache_usage_perc"),
        ),
        "engine_prefix_hits": (
            *share("vllm:prefix_cache_hits", "vllm:prefix_cache_queries"),
            *share("vllm:gpu_prefix_cache_hits", "vllm:gpu_prefix_cache_queries"),
        ),
        "engine_queue_s": mean("vllm:request_queue_time_seconds"),
        "engine_preemptions": (
            *counter("vllm:num_preemptions"),
            Source("vllm:request_num_preemptions_sum"),
        ),
        "engine_prefill_s": mean("vllm:request_prefill_time_seconds"),
        "engine_decode_s": mean("vllm:request_decode_time_seconds"),
        "engine_ttft_s": mean("vllm:time_to_first_token_seconds"),
        "engine_inter_token_s": (
            *mean("vllm:inter_token_latency_seconds"),
            *mean("vllm:time_per_output_token_seconds"),
        ),
        "engine_input_tokens": counter("vllm:prompt_tokens"),
        "engine_output_tokens": counter("vllm:generation_tokens"),
        "engine_finished": counter("vllm:request_success"),
    },
)
