"""The page as a whole: bounds, the recorder's own series, gateways' reports."""

import sys
import threading
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from tests.record.rig import receipt

from tidegate.core.feed import Status
from tidegate.core.receipt import Attempt, Receipt
from tidegate.record import catalogue
from tidegate.record.journals import Lag
from tidegate.record.metrics import Metrics
from tidegate.record.series import OTHER


def shown(metrics: Metrics) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Sample name -> (labels, value), as a scraper reads it."""
    samples: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels. Only theirs are read: they may be many."""
    lines = metrics.render().decode().splitlines()
    ours = "\n".join(line for line in lines if line.startswith((f"{name}{{", f"{name} ")))
    return sum(
        sample.value
        for family in text_string_to_metric_families(ours + "\n")
        for sample in family.samples
        if labels.items() <= sample.labels.items()
    )


def streamed(**fields: Any) -> Receipt:
    plain: dict[str, Any] = {
        "stream": True,
        "model_served": "small-1",
        "finish_reason": "stop",
        "cache_read_tokens": 30,
        "reasoning_tokens": 5,
        "gateway_s": 0.0004,
        "queue_s": 0.01,
        "ttft_s": 0.2,
        "generation_s": 0.48,
        "itl_mean_s": 0.02,
        "itl_max_s": 0.3,
        "output_tokens_per_s": 52.0,
        "total_s": 0.7,
    }
    return receipt(**{**plain, **fields})


def test_series_are_bounded_and_the_sum_stays() -> None:
    metrics = Metrics(max_series=10)
    metrics.observe([receipt(team=f"team-{number}") for number in range(100)])
    requests = shown(metrics)["tidegate_requests_total"]
    assert len(requests) == 11
    assert sum(found for _, found in requests) == 100
    assert value(metrics, "tidegate_requests_total", team=OTHER, endpoint="chat") == 90
    overflowed = "tidegate_metric_labels_overflowed_total"
    assert value(metrics, overflowed, metric="tidegate_requests_total") == 90
    assert value(metrics, overflowed, metric="tidegate_errors_total") == 0
    durations = shown(metrics)["gen_ai_server_request_duration_seconds_count"]
    assert len(durations) == 3, "a histogram has a quarter of the bound"
    assert sum(found for _, found in durations) == 100


def test_journals_and_ledger_are_shown() -> None:
    metrics = Metrics()
    metrics.ledger_failed()
    metrics.signals_failed()
    metrics.journals_are([Lag("g0", 512, 2.5), Lag("g1", 0, 0.0)], {("g0", "torn"): 2}, 1)
    assert value(metrics, "tidegate_journal_lag_seconds", gateway="g0") == 2.5
    assert value(metrics, "tidegate_journal_lag_bytes", gateway="g0") == 512
    assert value(metrics, "tidegate_journal_damaged_total", gateway="g0", kind="torn") == 2
    assert value(metrics, "tidegate_ledger_write_errors_total") == 1
    assert value(metrics, "tidegate_signal_errors_total") == 1
    assert value(metrics, "tidegate_journal_read_errors_total") == 1
    metrics.journals_are([], {}, 1)
    assert "tidegate_journal_lag_seconds" not in shown(metrics)


def test_a_gateways_report_is_shown() -> None:
    metrics = Metrics()
    metrics.observe_status("g0", Status({"tidegate_streams_open": 3.0}, {}))
    assert value(metrics, "tidegate_streams_open", gateway="g0") == 3


def test_litellms_names_come_by_option_only() -> None:
    for option in (False, True):
        metrics = Metrics(litellm=option)
        metrics.observe([streamed()])
        assert ("litellm_spend_metric_total" in shown(metrics)) is option


def test_every_metric_that_is_made_is_in_the_catalogue() -> None:
    assert set(Metrics().families) == {spec.name for spec in catalogue.ALL}


def test_reading_while_counting_is_safe() -> None:
    """What is read is copied with the first metric: writing them all takes a hundred times as long,
    and meets nobody."""
    metrics, failed, counted = Metrics(), [], threading.Event()

    def read() -> None:
        try:
            while not counted.is_set():
                next(metrics.collected(litellm=False))
        except Exception as error:  # what a scraper would see as a fault
            failed.append(error)

    thread = threading.Thread(target=read)
    often_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread.start()
        for number in range(300):
            metrics.observe([receipt(team=f"team-{number}", status=number)])
    finally:
        counted.set()
        thread.join()
        sys.setswitchinterval(often_s)
    assert failed == []


def test_a_copy_for_a_release_is_counted_apart_and_is_no_traffic_and_no_error() -> None:
    metrics = Metrics()
    copy = {"key_id": None, "purpose": "shadow", "arm": "shadow", "rollout": "chat/next"}
    good = streamed(**copy, cost_nanousd=3_000_000)
    metrics.observe([good, receipt(**copy, error_code="draining", attempts=[])])
    assert value(metrics, "tidegate_shadows_total", rollout="chat/next", failure="") == 1
    assert value(metrics, "tidegate_shadows_total", failure="draining") == 1
    assert value(metrics, "tidegate_shadow_cost_usd_total", rollout="chat/next") >= 0.003
    for name in ("requests", "errors", "attempts", "cost_usd", "tokens", "probes"):
        assert value(metrics, f"tidegate_{name}_total") == 0


def test_a_probe_is_counted_apart_and_is_no_traffic_and_no_error() -> None:
    metrics = Metrics()
    good = streamed(key_id=None, purpose="probe", cost_nanousd=3_000_000, provider="up")
    failed = receipt(
        key_id=None,
        purpose="probe",
        provider="up",
        error_code="upstream_invalid_answer",
        attempts=[Attempt("small", "r", 0.0, failure="malformed")],
    )
    ours = receipt(key_id=None, purpose="probe", error_code="draining", attempts=[])
    metrics.observe([good, failed, ours])
    target = good.target or ""
    assert value(metrics, "tidegate_probes_total", target=target, failure="") == 1
    assert value(metrics, "tidegate_probes_total", failure="malformed") == 1
    assert value(metrics, "tidegate_probes_total", failure="draining") == 1
    assert value(metrics, "tidegate_probe_cost_usd_total", provider="up") >= 0.003
    assert value(metrics, "tidegate_probe_first_token_seconds_count") == 1
    for name in ("requests", "errors", "attempts", "cost_usd", "tokens"):
        assert value(metrics, f"tidegate_{name}_total") == 0
    metrics.observe([receipt(purpose="probe")])
    assert value(metrics, "tidegate_requests_total") == 1, "a key's purpose makes no probe"


def test_rungs_are_counted_by_what_they_do_and_what_led_there() -> None:
    metrics = Metrics()
    led = receipt(route="chat", rung="sorry", rung_kind="apology", rung_reason="timeout")
    metrics.observe([led, led, receipt(route="chat")])
    labels = {"route": "chat", "rung": "sorry", "kind": "apology", "reason": "timeout"}
    assert value(metrics, "tidegate_rungs_total", **labels) == 2
    assert value(metrics, "tidegate_rungs_total") == 2


def test_what_a_batch_holds_is_no_request() -> None:
    metrics = Metrics()
    metrics.observe([receipt(purpose="batch_hold", cost_nanousd=None, most_nanousd=7)])
    assert value(metrics, "tidegate_requests_total") == 0
