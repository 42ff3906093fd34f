"""What one request adds to which series."""

import pytest
from tests.record.rig import receipt
from tests.record.test_metrics import streamed, value

from tidegate.core.receipt import Attempt, Receipt
from tidegate.record.metrics import Metrics


def test_a_streamed_request_is_counted_everywhere_it_belongs() -> None:
    metrics = Metrics()
    metrics.observe([streamed()])
    six = {
        "gen_ai_operation_name": "chat",
        "gen_ai_provider_name": "sim",
        "gen_ai_request_model": "chat-fast",
        "gen_ai_response_model": "small-1",
        "target": "small",
        "team": "blue",
    }
    duration = "gen_ai_server_request_duration_seconds"
    assert value(metrics, f"{duration}_count", **six, error_type="") == 1
    assert value(metrics, f"{duration}_sum", **six) == 0.7
    assert value(metrics, "gen_ai_server_time_to_first_token_seconds_sum", **six) == 0.2
    per_token = "gen_ai_server_time_per_output_token_seconds_sum"
    assert value(metrics, per_token, **six) == pytest.approx(0.48 / 24)
    usage = "gen_ai_client_token_usage_sum"
    assert value(metrics, usage, **six, gen_ai_token_type="input") == 130
    assert value(metrics, usage, **six, gen_ai_token_type="output") == 25
    tokens = "tidegate_tokens_total"
    assert value(metrics, tokens, **{"class": "input"}) == 100
    assert value(metrics, tokens, **{"class": "cache_read"}) == 30
    assert value(metrics, tokens, **{"class": "output"}) == 20
    assert value(metrics, tokens, **{"class": "reasoning"}) == 5
    assert value(metrics, "tidegate_cost_usd_total", team="blue") == 5e-6
    assert value(metrics, "tidegate_inter_token_latency_mean_seconds_sum") == 0.02
    assert value(metrics, "tidegate_inter_token_latency_max_seconds_sum") == 0.3
    assert value(metrics, "tidegate_output_tokens_per_second_sum") == 52.0
    assert value(metrics, "tidegate_gateway_seconds_sum") == 0.0004
    assert value(metrics, "tidegate_queue_seconds_sum") == 0.01
    assert value(metrics, "tidegate_upstream_seconds_sum") == pytest.approx(0.6896)
    assert value(metrics, "tidegate_requests_total", status="200", endpoint="chat") == 1
    assert value(metrics, "tidegate_finish_reasons_total", reason="stop") == 1
    assert value(metrics, "tidegate_attempts_total", target="small", failure="") == 1
    assert value(metrics, "tidegate_errors_total") == 0


def test_a_broken_stream_is_an_error_of_whom_it_was() -> None:
    metrics = Metrics()
    broken = streamed(
        error_code="upstream_interrupted",
        error_fault="provider",
        interrupted=True,
        finish_reason=None,
        attempts=[Attempt("small", "r0", 0.0, failure="interrupted")],
    )
    metrics.observe([broken, streamed(cancelled_by="client", status=None)])
    error = {"fault": "provider", "code": "upstream_interrupted"}
    assert value(metrics, "tidegate_errors_total", **error) == 1
    assert value(metrics, "tidegate_stream_interruptions_total") == 1
    assert value(metrics, "tidegate_cancelled_total", by="client") == 1
    assert value(metrics, "tidegate_requests_total", status="") == 1
    assert value(metrics, "tidegate_attempts_total", failure="interrupted") == 1
    duration = "gen_ai_server_request_duration_seconds_count"
    assert value(metrics, duration, error_type="upstream_interrupted") == 1
    per_token = "gen_ai_server_time_per_output_token_seconds_count"
    assert value(metrics, per_token) == 1, "only answers without an error"


def test_an_answer_that_was_replaced_is_counted_with_its_verdict() -> None:
    metrics = Metrics()
    bad = Attempt("small", "r0", 0.0, failure="malformed", validity="schema_violation")
    good = Attempt("small", "r0", 1.0, validity="valid")
    metrics.observe([receipt(attempts=[bad, good], validity="valid")])
    verdict = {"failure": "malformed", "validity": "schema_violation"}
    assert value(metrics, "tidegate_attempts_total", target="small", **verdict) == 1
    assert value(metrics, "tidegate_attempts_total", failure="", validity="valid") == 1
    assert value(metrics, "tidegate_answers_total", validity="valid") == 1
    assert value(metrics, "tidegate_answers_total") == 1, "one answer, whatever it took"


def test_what_a_kept_answer_saved_is_counted_and_costs_nothing() -> None:
    metrics = Metrics()
    kept = Receipt("r", 1.0, "g", "chat", route="small", cost_nanousd=0)
    kept.cache, kept.cache_tier, kept.saved_nanousd = "hit", "exact", 2_000_000_000
    metrics.observe([kept])
    assert value(metrics, "tidegate_cache_saved_usd_total", tier="exact") == 2.0
    assert value(metrics, "tidegate_cost_usd_total", route="small") == 0.0


def test_unknown_is_counted_as_unknown_and_never_as_nought() -> None:
    metrics = Metrics()
    metrics.observe([receipt(cost_nanousd=None, input_tokens=None, output_tokens=None)])
    metrics.observe([receipt(cost_nanousd=0)])
    metrics.observe([receipt(attempts=[], cost_nanousd=None, input_tokens=None, total_s=None)])
    assert value(metrics, "tidegate_cost_unknown_total") == 1
    assert value(metrics, "tidegate_tokens_unknown_total") == 1
    assert value(metrics, "gen_ai_client_token_usage_count", gen_ai_token_type="input") == 1
    assert value(metrics, "gen_ai_server_request_duration_seconds_count") == 2
    assert value(metrics, "gen_ai_server_time_to_first_token_seconds_count") == 0


def test_what_is_no_chat_is_counted_in_its_own_units() -> None:
    metrics = Metrics()
    asked = {"input_tokens": None, "output_tokens": None, "attempts": [Attempt("t", "r", 0.0)]}
    for endpoint, used in (
        ("images", {"images": 3}),
        ("transcriptions", {"audio_s": 2.5}),
        ("speech", {"characters": 11}),
        ("rerank", {"search_units": 2}),
    ):
        metrics.observe([receipt(endpoint=endpoint, **asked, **used)])
    metrics.observe([receipt(endpoint="speech", characters=5, attempts=[])])
    for unit, count in (("images", 3), ("audio_seconds", 2.5), ("characters", 11), ("searches", 2)):
        assert value(metrics, "tidegate_units_total", unit=unit) == count
    assert value(metrics, "tidegate_tokens_unknown_total") == 0


def test_estimates_are_labelled() -> None:
    metrics = Metrics()
    metrics.observe([receipt(tokens_estimated=True), receipt()])
    assert value(metrics, "tidegate_tokens_estimated_total") == 1


@pytest.mark.parametrize(
    ("endpoint", "operation"),
    [("chat", "chat"), ("completions", "text_completion"), ("embeddings", "embeddings")],
)
def test_operations_have_opentelemetrys_names(endpoint: str, operation: str) -> None:
    metrics = Metrics()
    metrics.observe([receipt(endpoint=endpoint)])
    name = "gen_ai_server_request_duration_seconds_count"
    assert value(metrics, name, gen_ai_operation_name=operation) == 1
    assert value(metrics, "tidegate_requests_total", endpoint=endpoint) == 1


def test_a_callers_text_never_becomes_a_label() -> None:
    metrics = Metrics()
    odd = "typed-by-a-caller"
    metrics.observe([receipt(route=None, model_asked=odd, end_user=odd, session_id=odd)])
    assert odd not in metrics.render().decode()


def test_more_combinations_than_are_kept_still_add_up() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.observe([receipt(team=f"team-{number}") for number in range(5000)])
    assert value(metrics, "tidegate_requests_total") == 10_000


def test_what_became_of_answers_is_counted() -> None:
    metrics = Metrics()
    metrics.observe(
        [
            receipt(validity="valid", model_refusal="none"),
            receipt(
                validity="malformed",
                bytes_before_violation=100,
                model_refusal="full",
                model_refusal_reason="policy",
            ),
            receipt(validity="empty", model_refusal="full"),
            receipt(),
        ]
    )
    for verdict in ("valid", "malformed", "empty"):
        assert value(metrics, "tidegate_answers_total", validity=verdict) == 1
    assert value(metrics, "tidegate_answers_total") == 3
    refusals = "tidegate_model_refusals_total"
    assert value(metrics, refusals, extent="full", why="policy") == 1
    assert value(metrics, refusals) == 2
    seen = "tidegate_bytes_before_violation"
    assert value(metrics, f"{seen}_sum") == 100
    assert value(metrics, f"{seen}_bucket", le="64.0") == 0
    assert value(metrics, f"{seen}_bucket", le="256.0") == 1
