"""Every metric that the recorder makes: name, unit, meaning, labels, buckets. Here are those of
requests; `ALL` has every other too."""

from tidegate.record import cache_catalogue, own_catalogue
from tidegate.record.measures import (
    BYTES,
    DURATION_S,
    FIRST_TOKEN_S,
    GATEWAY_S,
    OTEL,
    PER_TOKEN_S,
    TOKENS,
    TOKENS_PER_S,
    counter,
    histogram,
)
from tidegate.record.series import Spec

DURATION = histogram(
    "gen_ai_server_request_duration_seconds",
    "seconds",
    "Time from a request's first byte to its answer's last, by error.type (empty: no error).",
    DURATION_S,
    (*OTEL, "error_type"),
)
FIRST_TOKEN = histogram(
    "gen_ai_server_time_to_first_token_seconds",
    "seconds",
    "Time to the first content token of streamed answers.",
    FIRST_TOKEN_S,
    OTEL,
)
PER_TOKEN = histogram(
    "gen_ai_server_time_per_output_token_seconds",
    "seconds",
    "Mean time per output token after the first, of streamed answers without an error.",
    PER_TOKEN_S,
    OTEL,
)
TOKEN_USAGE = histogram(
    "gen_ai_client_token_usage",
    "tokens",
    "Tokens of a request, by gen_ai.token.type: all input classes, all output classes.",
    TOKENS,
    (*OTEL, "gen_ai_token_type"),
)
ITL_MEAN = histogram(
    "tidegate_inter_token_latency_mean_seconds",
    "seconds",
    "Mean gap between content chunks of a streamed answer.",
    PER_TOKEN_S,
)
ITL_MAX = histogram(
    "tidegate_inter_token_latency_max_seconds",
    "seconds",
    "Worst gap between content chunks of a streamed answer.",
    PER_TOKEN_S,
)
OUTPUT_RATE = histogram(
    "tidegate_output_tokens_per_second",
    "tokens per second",
    "Output rate of a streamed answer after its first token.",
    TOKENS_PER_S,
)
GATEWAY_TIME = histogram(
    "tidegate_gateway_seconds",
    "seconds",
    "Time that the gateway itself spent on a request.",
    GATEWAY_S,
)
QUEUE_TIME = histogram(
    "tidegate_queue_seconds",
    "seconds",
    "Time that a request waited for a place at its target.",
    FIRST_TOKEN_S,
)
UPSTREAM_TIME = histogram(
    "tidegate_upstream_seconds",
    "seconds",
    "Time that a request spent at the provider, connecting included.",
    DURATION_S,
)
REQUESTS = counter(
    "tidegate_requests_total",
    "requests",
    "Requests with a receipt, by HTTP status (empty: the client left before one was sent).",
    "status",
)
ERRORS = counter(
    "tidegate_errors_total",
    "requests",
    "Requests that ended in an error, by whose fault it was and its code.",
    "fault",
    "code",
)
TOKENS_BY_CLASS = counter(
    "tidegate_tokens_total",
    "tokens",
    "Tokens by class: input, cache_read, cache_write, output, reasoning. Classes are disjoint.",
    "class",
)
UNITS = counter(
    "tidegate_units_total",
    "units",
    "What is sold by other units than tokens: images, audio_seconds, characters, searches.",
    "unit",
)
TOKENS_UNKNOWN = counter(
    "tidegate_tokens_unknown_total",
    "requests",
    "Requests that reached a provider and whose tokens nobody counted.",
)
TOKENS_ESTIMATED = counter(
    "tidegate_tokens_estimated_total",
    "requests",
    "Requests whose tokens are our own estimate.",
)
COST = counter("tidegate_cost_usd_total", "US dollars", "Known cost of requests.")
COST_UNKNOWN = counter(
    "tidegate_cost_unknown_total",
    "requests",
    "Requests that reached a provider and whose cost nobody knows.",
)
INTERRUPTIONS = counter(
    "tidegate_stream_interruptions_total",
    "requests",
    "Streamed answers that ended without the provider's proper end.",
)
FINISH_REASONS = counter(
    "tidegate_finish_reasons_total",
    "requests",
    "Answers by the finish reason that the provider gave.",
    "reason",
)
ANSWERS = counter(
    "tidegate_answers_total",
    "answers",
    "Answers of which something is known, by what became of them: valid where a contract was "
    "kept, truncated, interrupted, malformed, schema_violation, empty, duplicate_terminator.",
    "validity",
)
MODEL_REFUSALS = counter(
    "tidegate_model_refusals_total",
    "answers",
    "Answers in which the model refused, by extent (partial, full) and why: policy, capability, "
    "missing_information (empty: it said nothing).",
    "extent",
    "why",
)
BYTES_BEFORE_VIOLATION = histogram(
    "tidegate_bytes_before_violation",
    "bytes",
    "How much of an answer's content had been passed on when it was found to break its contract.",
    BYTES,
)
CANCELLED = counter(
    "tidegate_cancelled_total",
    "requests",
    "Requests that were cut short, by whom: client, deadline, gateway.",
    "by",
)
RUNGS = Spec(
    "tidegate_rungs_total",
    "counter",
    "requests",
    "Requests that came to a rung of their route's ladder, by what it does and what led there.",
    ("route", "rung", "kind", "reason"),
    ("kind", "reason"),
)
LIMIT_REFUSALS = Spec(
    "tidegate_limit_refusals_total",
    "counter",
    "requests",
    "Requests that a limit or budget refused.",
    ("limit",),
)
LIMIT_ALERTS = Spec(
    "tidegate_limit_alerts_total",
    "counter",
    "requests",
    "Requests with which a limit that only alerts was passed.",
    ("limit",),
)
GUARDRAILS = Spec(
    "tidegate_guardrail_hits_total",
    "counter",
    "things",
    "What guardrails found, by what was done about it; `failed`: one could not look.",
    ("route", "guardrail", "side", "type", "action"),
)
ATTEMPTS = Spec(
    "tidegate_attempts_total",
    "counter",
    "attempts",
    "Calls to a provider, by how they failed (empty: they did not) and what became of their "
    "answer, as far as that is known.",
    ("target", "failure", "validity"),
    ("failure", "validity"),
)

ALL: tuple[Spec, ...] = (
    DURATION,
    FIRST_TOKEN,
    PER_TOKEN,
    TOKEN_USAGE,
    ITL_MEAN,
    ITL_MAX,
    OUTPUT_RATE,
    GATEWAY_TIME,
    QUEUE_TIME,
    UPSTREAM_TIME,
    REQUESTS,
    ERRORS,
    TOKENS_BY_CLASS,
    UNITS,
    TOKENS_UNKNOWN,
    TOKENS_ESTIMATED,
    COST,
    COST_UNKNOWN,
    INTERRUPTIONS,
    FINISH_REASONS,
    ANSWERS,
    MODEL_REFUSALS,
    BYTES_BEFORE_VIOLATION,
    CANCELLED,
    RUNGS,
    LIMIT_REFUSALS,
    LIMIT_ALERTS,
    GUARDRAILS,
    ATTEMPTS,
    *cache_catalogue.ALL,
    *own_catalogue.ALL,
)
