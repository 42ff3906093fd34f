"""Every metric that the recorder makes: name, unit, meaning, labels, buckets.

Names and buckets of `gen_ai_*` follow OpenTelemetry's semantic conventions in Prometheus' form;
`gen_ai_request_model` is the route, which is the model that the caller asked for.
"""

from tidegate.record.series import Labels, Spec

DURATION_S = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64),
    *(1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
FIRST_TOKEN_S = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08),
    *(0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
PER_TOKEN_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKENS = tuple(4.0**power for power in range(14))
GATEWAY_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
BYTES = (0.0, *(4.0**power for power in range(3, 12)))
TOKENS_PER_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 500.0)

# Two spellings of the same six values: OpenTelemetry's and ours.
OTEL: Labels = (
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
    "target",
    "team",
)
OURS: Labels = ("endpoint", "provider", "route", "model", "target", "team")
_PROBED: Labels = ("target", "provider")
_OF_TIER: Labels = ("route", "tier")
_OF_PREFIX: Labels = ("route", "prompt_version", "target")
_CLOSED = ("gen_ai_operation_name", "endpoint")


def _histogram(
    name: str, unit: str, text: str, buckets: tuple[float, ...], labels: Labels = OURS
) -> Spec:
    closed = (*_CLOSED, "gen_ai_token_type")
    return Spec(name, "histogram", unit, text, labels, closed, buckets)


def _counter(name: str, unit: str, text: str, *more: str) -> Spec:
    # What a provider writes freely is open; these lists are ours.
    closed = (
        *_CLOSED,
        "class",
        "fault",
        "code",
        "by",
        "status",
        "failure",
        "validity",
        "extent",
        "why",
        "tier",
    )
    return Spec(name, "counter", unit, text, (*OURS, *more), closed)


DURATION = _histogram(
    "gen_ai_server_request_duration_seconds",
    "seconds",
    "Time from a request's first byte to its answer's last, by error.type (empty: no error).",
    DURATION_S,
    (*OTEL, "error_type"),
)
FIRST_TOKEN = _histogram(
    "gen_ai_server_time_to_first_token_seconds",
    "seconds",
    "Time to the first content token of streamed answers.",
    FIRST_TOKEN_S,
    OTEL,
)
PER_TOKEN = _histogram(
    "gen_ai_server_time_per_output_token_seconds",
    "seconds",
    "Mean time per output token after the first, of streamed answers without an error.",
    PER_TOKEN_S,
    OTEL,
)
TOKEN_USAGE = _histogram(
    "gen_ai_client_token_usage",
    "tokens",
    "Tokens of a request, by gen_ai.token.type: all input classes, all output classes.",
    TOKENS,
    (*OTEL, "gen_ai_token_type"),
)
ITL_MEAN = _histogram(
    "tidegate_inter_token_latency_mean_seconds",
    "seconds",
    "Mean gap between content chunks of a streamed answer.",
    PER_TOKEN_S,
)
ITL_MAX = _histogram(
    "tidegate_inter_token_latency_max_seconds",
    "seconds",
    "Worst gap between content chunks of a streamed answer.",
    PER_TOKEN_S,
)
OUTPUT_RATE = _histogram(
    "tidegate_output_tokens_per_second",
    "tokens per second",
    "Output rate of a streamed answer after its first token.",
    TOKENS_PER_S,
)
GATEWAY_TIME = _histogram(
    "tidegate_gateway_seconds",
    "seconds",
    "Time that the gateway itself spent on a request.",
    GATEWAY_S,
)
QUEUE_TIME = _histogram(
    "tidegate_queue_seconds",
    "seconds",
    "Time that a request waited for a place at its target.",
    FIRST_TOKEN_S,
)
UPSTREAM_TIME = _histogram(
    "tidegate_upstream_seconds",
    "seconds",
    "Time that a request spent at the provider, connecting included.",
    DURATION_S,
)
REQUESTS = _counter(
    "tidegate_requests_total",
    "requests",
    "Requests with a receipt, by HTTP status (empty: the client left before one was sent).",
    "status",
)
ERRORS = _counter(
    "tidegate_errors_total",
    "requests",
    "Requests that ended in an error, by whose fault it was and its code.",
    "fault",
    "code",
)
TOKENS_BY_CLASS = _counter(
    "tidegate_tokens_total",
    "tokens",
    "Tokens by class: input, cache_read, cache_write, output, reasoning. Classes are disjoint.",
    "class",
)
UNITS = _counter(
    "tidegate_units_total",
    "units",
    "What is sold by other units than tokens: images, audio_seconds, characters, searches.",
    "unit",
)
TOKENS_UNKNOWN = _counter(
    "tidegate_tokens_unknown_total",
    "requests",
    "Requests that reached a provider and whose tokens nobody counted.",
)
TOKENS_ESTIMATED = _counter(
    "tidegate_tokens_estimated_total",
    "requests",
    "Requests whose tokens are our own estimate.",
)
COST = _counter("tidegate_cost_usd_total", "US dollars", "Known cost of requests.")
COST_UNKNOWN = _counter(
    "tidegate_cost_unknown_total",
    "requests",
    "Requests that reached a provider and whose cost nobody knows.",
)
PREFIX_TOKENS = Spec(
    "tidegate_prefix_input_tokens_total",
    "counter",
    "tokens",
    "Input of requests whose provider told what its prefix cache had of it, by class: read, "
    "written, plain.",
    (*_OF_PREFIX, "class"),
    ("class",),
)
PREFIX_UNTOLD = Spec(
    "tidegate_prefix_untold_total",
    "counter",
    "requests",
    "Requests with input of which nobody told what a prefix cache had.",
    _OF_PREFIX,
)
PREFIX_SAVED = Spec(
    "tidegate_prefix_saved_usd_total",
    "counter",
    "US dollars",
    "Known saving of requests that the prefix cache made cheaper, net of their writes to it.",
    _OF_PREFIX,
)
PREFIX_LOST = Spec(
    "tidegate_prefix_lost_usd_total",
    "counter",
    "US dollars",
    "What requests cost more for the prefix cache: their writes to it beyond what they read.",
    _OF_PREFIX,
)
PREFIX_SAVED_UNKNOWN = Spec(
    "tidegate_prefix_saved_unknown_total",
    "counter",
    "requests",
    "Requests that read from or wrote to a prefix cache, and nobody knows what that saved.",
    _OF_PREFIX,
)
CACHE_SAVED = _counter(
    "tidegate_cache_saved_usd_total",
    "US dollars",
    "What kept answers had cost that were given again, by the tier that found them.",
    "tier",
)
CACHE_LOOKUPS = Spec(
    "tidegate_cache_tier_lookups_total",
    "counter",
    "answers",
    "Answers, or vectors of items, that a tier looked for, by what came of it: hit, miss.",
    (*_OF_TIER, "outcome"),
    ("tier", "outcome"),
)
CACHE_HIT_SECONDS = _histogram(
    "tidegate_cache_hit_seconds",
    "seconds",
    "Time from the arrival of a request that had a kept answer to its end.",
    GATEWAY_S,
    _OF_TIER,
)
CACHE_MISS_SECONDS = _histogram(
    "tidegate_cache_miss_seconds",
    "seconds",
    "What requests waited for a tier that had nothing for them.",
    GATEWAY_S,
    _OF_TIER,
)
CACHE_SAVED_SECONDS = Spec(
    "tidegate_cache_saved_seconds_total",
    "counter",
    "seconds",
    "What kept answers had taken that were given again; hits and misses took a part of it.",
    _OF_TIER,
    ("tier",),
)
CACHE_SAVED_UNKNOWN = Spec(
    "tidegate_cache_saved_unknown_total",
    "counter",
    "answers",
    "Kept answers that were given of which nobody knows what they had cost.",
    _OF_TIER,
    ("tier",),
)
CACHE_REFRESHED = Spec(
    "tidegate_cache_refresh_usd_total",
    "counter",
    "US dollars",
    "What it cost to ask anew for what was stale.",
    _OF_TIER,
    ("tier",),
)
INTERRUPTIONS = _counter(
    "tidegate_stream_interruptions_total",
    "requests",
    "Streamed answers that ended without the provider's proper end.",
)
FINISH_REASONS = _counter(
    "tidegate_finish_reasons_total",
    "requests",
    "Answers by the finish reason that the provider gave.",
    "reason",
)
ANSWERS = _counter(
    "tidegate_answers_total",
    "answers",
    "Answers of which something is known, by what became of them: valid where a contract was "
    "kept, truncated, interrupted, malformed, schema_violation, empty, duplicate_terminator.",
    "validity",
)
MODEL_REFUSALS = _counter(
    "tidegate_model_refusals_total",
    "answers",
    "Answers in which the model refused, by extent (partial, full) and why: policy, capability, "
    "missing_information (empty: it said nothing).",
    "extent",
    "why",
)
BYTES_BEFORE_VIOLATION = _histogram(
    "tidegate_bytes_before_violation",
    "bytes",
    "How much of an answer's content had been passed on when it was found to break its contract.",
    BYTES,
)
CANCELLED = _counter(
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
ATTEMPTS = Spec(
    "tidegate_attempts_total",
    "counter",
    "attempts",
    "Calls to a provider, by how they failed (empty: they did not) and what became of their "
    "answer, as far as that is known.",
    ("target", "failure", "validity"),
    ("failure", "validity"),
)

PROBES = Spec(
    "tidegate_probes_total",
    "counter",
    "probes",
    "Synthetic requests of the gateways' own, by how they failed (empty: a good answer).",
    (*_PROBED, "failure"),
    ("failure",),
)
PROBE_SECONDS = Spec(
    "tidegate_probe_seconds",
    "histogram",
    "seconds",
    "Time of a probe from its start to the end of its answer, good or not.",
    _PROBED,
    (),
    DURATION_S,
)
PROBE_FIRST_TOKEN = Spec(
    "tidegate_probe_first_token_seconds",
    "histogram",
    "seconds",
    "Time to the first content token of probes.",
    _PROBED,
    (),
    FIRST_TOKEN_S,
)
PROBE_COST = Spec(
    "tidegate_probe_cost_usd_total",
    "counter",
    "US dollars",
    "Known cost of probes, which is in no other figure.",
    _PROBED,
)
SHADOWS = Spec(
    "tidegate_shadows_total",
    "counter",
    "requests",
    "Copies of requests sent to a release, by how they failed (empty: a good answer).",
    ("rollout", "failure"),
    ("failure",),
)
SHADOW_COST = Spec(
    "tidegate_shadow_cost_usd_total",
    "counter",
    "US dollars",
    "Known cost of copies of requests, which is in no other figure.",
    ("rollout",),
)

RECORDED = Spec(
    "tidegate_receipts_recorded_total", "counter", "receipts", "Receipts put into the ledger.", ()
)
REPEATED = Spec(
    "tidegate_receipts_repeated_total",
    "counter",
    "receipts",
    "Receipts read again that the ledger held already.",
    (),
)
WRITE_ERRORS = Spec(
    "tidegate_ledger_write_errors_total",
    "counter",
    "transactions",
    "Ledger transactions that failed and were tried again.",
    (),
)
SIGNAL_ERRORS = Spec(
    "tidegate_signal_errors_total",
    "counter",
    "tries",
    "Times that receipts could not be made signals and were to be read again.",
    (),
)
READ_ERRORS = Spec(
    "tidegate_journal_read_errors_total",
    "counter",
    "errors",
    "Journal folders or files that could not be read or deleted.",
    (),
)
LAG_SECONDS = Spec(
    "tidegate_journal_lag_seconds",
    "gauge",
    "seconds",
    "Time since everything that the gateway had written was in the ledger.",
    ("gateway",),
)
LAG_BYTES = Spec(
    "tidegate_journal_lag_bytes",
    "gauge",
    "bytes",
    "Journal bytes that are not in the ledger yet.",
    ("gateway",),
)
DAMAGED = Spec(
    "tidegate_journal_damaged_total",
    "counter",
    "places",
    "Places in journals that could not be read: no_magic, torn, checksum, undecodable.",
    ("gateway", "kind"),
    ("kind",),
)
OVERFLOWED = Spec(
    "tidegate_metric_labels_overflowed_total",
    "counter",
    "values",
    "Values counted under the label value `other` because a metric had too many series.",
    ("metric",),
    ("metric",),
)

ALL: tuple[Spec, ...] = (
    *(DURATION, FIRST_TOKEN, PER_TOKEN, TOKEN_USAGE),
    *(ITL_MEAN, ITL_MAX, OUTPUT_RATE, GATEWAY_TIME, QUEUE_TIME, UPSTREAM_TIME),
    *(
        REQUESTS,
        ERRORS,
        TOKENS_BY_CLASS,
        UNITS,
        TOKENS_UNKNOWN,
        TOKENS_ESTIMATED,
        COST,
        COST_UNKNOWN,
    ),
    *(PREFIX_TOKENS, PREFIX_UNTOLD, PREFIX_SAVED, PREFIX_LOST, PREFIX_SAVED_UNKNOWN),
    *(CACHE_SAVED, CACHE_LOOKUPS, CACHE_HIT_SECONDS, CACHE_MISS_SECONDS),
    *(CACHE_SAVED_SECONDS, CACHE_SAVED_UNKNOWN, CACHE_REFRESHED),
    *(INTERRUPTIONS, FINISH_REASONS, CANCELLED, ATTEMPTS),
    *(ANSWERS, MODEL_REFUSALS, BYTES_BEFORE_VIOLATION),
    *(RUNGS, LIMIT_REFUSALS, LIMIT_ALERTS),
    *(PROBES, PROBE_SECONDS, PROBE_FIRST_TOKEN, PROBE_COST, SHADOWS, SHADOW_COST),
    *(RECORDED, REPEATED, WRITE_ERRORS, SIGNAL_ERRORS, READ_ERRORS),
    *(LAG_SECONDS, LAG_BYTES, DAMAGED, OVERFLOWED),
)
