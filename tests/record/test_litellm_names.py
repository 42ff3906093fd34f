from tests.record.rig import receipt
from tests.record.test_metrics import value

from tidegate.record import litellm_names
from tidegate.record.metrics import Metrics


def test_an_alias_has_our_figure_under_litellms_labels() -> None:
    metrics = Metrics(litellm=True)
    metrics.observe([receipt(model_served="small-1", ttft_s=0.2, gateway_s=0.01)])
    labels = {
        "requested_model": "chat-fast",
        "model": "small-1",
        "api_provider": "sim",
        "model_id": "small",
        "team": "blue",
    }
    requests = "litellm_proxy_total_requests_metric_total"
    assert value(metrics, requests, **labels, status_code="200") == 1
    assert value(metrics, "litellm_spend_metric_total", **labels) == 5e-6
    first = "litellm_llm_api_time_to_first_token_metric"
    assert value(metrics, f"{first}_sum", **labels) == 0.2
    assert value(metrics, f"{first}_bucket", **labels, le="0.25") == 1
    assert value(metrics, "litellm_overhead_latency_metric_sum", **labels) == 0.01


def test_token_classes_are_put_together_as_litellm_counts_them() -> None:
    metrics = Metrics(litellm=True)
    metrics.observe(
        [receipt(cache_read_tokens=7, cache_write_tokens=3, reasoning_tokens=4) for _ in range(2)]
    )
    for name, count in {
        "litellm_input_tokens_metric_total": 220,
        "litellm_output_tokens_metric_total": 48,
        "litellm_total_tokens_metric_total": 268,
        "litellm_provider_cache_read_input_tokens_metric_total": 14,
        "litellm_provider_cache_creation_input_tokens_metric_total": 6,
        "litellm_output_reasoning_tokens_metric_total": 8,
    }.items():
        assert value(metrics, name) == count, name


def test_series_that_differ_only_in_what_litellm_has_no_label_for_are_added_up() -> None:
    metrics = Metrics(litellm=True)
    metrics.observe([receipt(endpoint="chat"), receipt(endpoint="completions")])
    assert value(metrics, "litellm_request_total_latency_metric_count") == 2
    failed = "litellm_proxy_failed_requests_metric_total"
    metrics.observe([receipt(error_code="internal", error_fault="gateway")])
    assert value(metrics, failed, exception_class="internal") == 1


def test_every_alias_names_a_metric_of_ours() -> None:
    assert set(litellm_names.NAMES.values()) <= set(Metrics().families)
