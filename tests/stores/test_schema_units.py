from tidegate.stores.schema import metadata
from tidegate.stores.schema_units import unit_homes


def test_a_unit_of_a_release_has_one_home() -> None:
    assert unit_homes.metadata is metadata
    assert [column.name for column in unit_homes.primary_key.columns] == ["rollout", "unit"]
