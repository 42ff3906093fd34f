"""What came from elsewhere is there once: an opening balance by its scope, a thing by its id."""

from tidegate.stores.schema import metadata
from tidegate.stores.schema_imports import imported, openings


def test_each_is_there_once() -> None:
    assert {it.metadata for it in (imported, openings)} == {metadata}
    assert [c.name for c in openings.primary_key] == ["dimensions", "scope"]
    assert [c.name for c in imported.primary_key] == ["source", "kind", "id"]
