from tidegate.stores.schema import metadata
from tidegate.stores.schema_notices import deliveries, notice_ways, notices, silences


def test_the_tables_are_of_the_one_database() -> None:
    for table in (deliveries, notice_ways, notices, silences):
        assert table.metadata is metadata


def test_one_key_is_open_once_and_a_delivery_is_ended_once() -> None:
    unique = {
        index.name for table in (notices, deliveries) for index in table.indexes if index.unique
    }
    assert unique == {"ix_notices_open", "ix_deliveries_ends"}
