"""What is found of a kept answer has one row for each way of finding it."""

from tidegate.core.judged_hit import JudgedHit
from tidegate.stores.schema import metadata
from tidegate.stores.schema_judged_hits import captured_hits, judged_hits, unjudged


def test_each_is_there_once_and_whole() -> None:
    assert {it.metadata for it in (captured_hits, judged_hits, unjudged)} == {metadata}
    columns = {c.name for c in judged_hits.columns}
    assert columns == {"score_bin", *JudgedHit.__struct_fields__}
    assert [c.name for c in judged_hits.primary_key] == ["receipt_id", "assessed_as"]
