"""Text Generation Inference's page: nothing is told of the KV cache, its prefixes or preemption."""

from tidegate.engines._reader import Source, TableReader, counter, mean

plug = TableReader(
    "tgi_",
    {
        "engine_running": (Source("tgi_batch_current_size"),),
        "engine_waiting": (Source("tgi_queue_size"),),
        "engine_queue_s": mean("tgi_request_queue_duration"),
        "engine_inter_token_s": mean("tgi_request_mean_time_per_token_duration"),
        "engine_input_tokens": (Source("tgi_request_input_length_sum"),),
        "engine_output_tokens": (Source("tgi_request_generated_tokens_sum"),),
        "engine_finished": counter("tgi_request_success"),
    },
)
