from tidegate.stores.schema import metadata
from tidegate.stores.schema_schedule import scheduled_changes


def test_the_table_is_of_the_one_database_and_what_is_open_is_found_by_its_time() -> None:
    assert scheduled_changes.metadata is metadata
    (index,) = scheduled_changes.indexes
    assert [column.name for column in index.columns] == ["from_s"]
