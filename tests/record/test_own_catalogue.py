"""What no caller asked for is in no figure of requests."""

from tidegate.record.measures import OTEL, OURS
from tidegate.record.own_catalogue import ALL


def test_none_is_told_by_the_labels_of_requests() -> None:
    for spec in ALL:
        assert "route" not in spec.labels
        assert spec.labels[: len(OURS)] not in (OURS, OTEL)
