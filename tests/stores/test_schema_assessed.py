"""What is found of a request has one row for each way of finding it."""

from tidegate.core.assessment import Assessment
from tidegate.stores.schema import metadata
from tidegate.stores.schema_assessed import assessments, ungraded


def test_each_is_there_once_and_whole() -> None:
    assert {assessments.metadata, ungraded.metadata} == {metadata}
    columns = {c.name for c in assessments.columns}
    assert columns == {"seq", "folded", *Assessment.__struct_fields__}
    unique = [index for index in assessments.indexes if index.unique]
    assert [[c.name for c in index.columns] for index in unique] == [["receipt_id", "assessed_as"]]
