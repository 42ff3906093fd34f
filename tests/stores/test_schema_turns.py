"""What waits has one row each, and holds nothing that was said."""

from tidegate.stores.schema_turns import turns
from tidegate.stores.turns import Waiting


def test_a_row_is_what_waits() -> None:
    assert [c.name for c in turns.primary_key.columns] == ["receipt_id"]
    assert tuple(c.name for c in turns.columns) == Waiting.__struct_fields__
