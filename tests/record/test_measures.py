"""Labels and buckets of requests are OpenTelemetry's where it has some."""

from tidegate.record import catalogue
from tidegate.record.measures import OTEL, OURS, counter, histogram


def test_buckets_are_opentelemetrys() -> None:
    assert catalogue.DURATION.buckets == (
        *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    )
    assert catalogue.TOKEN_USAGE.buckets[-1] == 67_108_864
    assert catalogue.FIRST_TOKEN.buckets[-1] == 10.0
    assert catalogue.PER_TOKEN.buckets[-1] == 2.5


def test_a_metric_of_requests_is_told_by_our_labels_or_opentelemetrys() -> None:
    assert counter("x_total", "things", "X.", "code").labels == (*OURS, "code")
    assert histogram("x", "s", "X.", (1.0,), (*OTEL, "error_type")).labels[: len(OTEL)] == OTEL
    assert len(OURS) == len(OTEL)
