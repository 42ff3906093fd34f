"""LiteLLM's metric names for our figures, so that dashboards made for it go on working.

They are made from our series when the text is written and cost a request nothing. Labels are
those of LiteLLM that we have a value for; series that fall together are added up.
"""

from collections.abc import Iterator

from prometheus_client.core import Metric

from tidegate.record import catalogue
from tidegate.record.series import Cell, Labels, Spec, exposed

# LiteLLM's label -> place in our six common labels.
_COMMON = {"requested_model": 2, "model": 3, "api_provider": 1, "model_id": 4, "team": 5}
_LABELS: Labels = tuple(_COMMON)

# LiteLLM's name -> (our metric, token classes to keep or None, its label for what follows).
_NAMES: dict[str, tuple[Spec, frozenset[str] | None, str | None]] = {
    "litellm_proxy_total_requests_metric_total": (catalogue.REQUESTS, None, "status_code"),
    "litellm_proxy_failed_requests_metric_total": (catalogue.ERRORS, None, "exception_class"),
    "litellm_spend_metric_total": (catalogue.COST, None, None),
    "litellm_input_tokens_metric_total": (
        catalogue.TOKENS_BY_CLASS,
        frozenset({"input", "cache_read", "cache_write"}),
        None,
    ),
    "litellm_output_tokens_metric_total": (
        catalogue.TOKENS_BY_CLASS,
        frozenset({"output", "reasoning"}),
        None,
    ),
    "litellm_total_tokens_metric_total": (
        catalogue.TOKENS_BY_CLASS,
        frozenset({"input", "cache_read", "cache_write", "output", "reasoning"}),
        None,
    ),
    "litellm_provider_cache_read_input_tokens_metric_total": (
        catalogue.TOKENS_BY_CLASS,
        frozenset({"cache_read"}),
        None,
    ),
    "litellm_provider_cache_creation_input_tokens_metric_total": (
        catalogue.TOKENS_BY_CLASS,
        frozenset({"cache_write"}),
        None,
    ),
    "litellm_output_reasoning_tokens_metric_total": (
        catalogue.TOKENS_BY_CLASS,
        frozenset({"reasoning"}),
        None,
    ),
    "litellm_request_total_latency_metric": (catalogue.DURATION, None, None),
    "litellm_llm_api_latency_metric": (catalogue.UPSTREAM_TIME, None, None),
    "litellm_llm_api_time_to_first_token_metric": (catalogue.FIRST_TOKEN, None, None),
    "litellm_deployment_latency_per_output_token": (catalogue.PER_TOKEN, None, None),
    "litellm_overhead_latency_metric": (catalogue.GATEWAY_TIME, None, None),
    "litellm_request_queue_time_seconds": (catalogue.QUEUE_TIME, None, None),
}

NAMES: dict[str, str] = {name: row[0].name for name, row in _NAMES.items()}


def aliases(series: dict[str, dict[Labels, Cell]]) -> Iterator[Metric]:
    """Our series, by our metrics' names, under LiteLLM's."""
    return (_alias(name, series[row[0].name]) for name, row in _NAMES.items())


def _alias(name: str, series: dict[Labels, Cell]) -> Metric:
    ours, kept, last = _NAMES[name]
    sums: dict[Labels, Cell] = {}
    for labels, cell in series.items():
        if kept is not None and labels[-1] not in kept:
            continue
        renamed = tuple(labels[at] for at in _COMMON.values())
        if last is not None:
            renamed = (*renamed, labels[-1])
        into = sums.get(renamed)
        if into is None:
            sums[renamed] = cell.copy()
            continue
        into.total += cell.total
        into.counts = [a + b for a, b in zip(into.counts, cell.counts, strict=True)]
    names = _LABELS if last is None else (*_LABELS, last)
    text = f"{ours.name} under LiteLLM's name."
    return exposed(Spec(name, ours.kind, ours.unit, text, names, (), ours.buckets), sums.items())
