"""What is kept of what was said has one row each."""

from tidegate.core.capture import Captured
from tidegate.stores.schema import metadata
from tidegate.stores.schema_captured import captured, deletions, feedback


def test_each_is_there_once_and_whole() -> None:
    assert {captured.metadata, feedback.metadata, deletions.metadata} == {metadata}
    assert {c.name for c in captured.columns} == set(Captured.__struct_fields__)
    assert [c.name for c in captured.primary_key.columns] == ["receipt_id"]
    assert [c.name for c in feedback.primary_key.columns] == ["receipt_id", "key_id", "kind"]
