"""Learnt thresholds are one table, in order."""

from tidegate.stores.schema import metadata
from tidegate.stores.schema_thresholds import thresholds


def test_it_is_there_once_and_ordered() -> None:
    assert thresholds.metadata is metadata
    assert [c.name for c in thresholds.primary_key] == ["seq"]
