"""Revocations of callers are one table."""

from tidegate.stores.schema import metadata
from tidegate.stores.schema_callers import caller_revocations


def test_it_is_there_once_and_by_whom_it_means() -> None:
    assert caller_revocations.metadata is metadata
    assert [c.name for c in caller_revocations.primary_key] == ["id"]
