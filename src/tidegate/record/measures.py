"""What the metrics of requests are told by and in which buckets.

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
_CLOSED = ("gen_ai_operation_name", "endpoint")


def histogram(
    name: str, unit: str, text: str, buckets: tuple[float, ...], labels: Labels = OURS
) -> Spec:
    """Of requests."""
    closed = (*_CLOSED, "gen_ai_token_type")
    return Spec(name, "histogram", unit, text, labels, closed, buckets)


def counter(name: str, unit: str, text: str, *more: str) -> Spec:
    """Of requests, by OURS and more labels."""
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
