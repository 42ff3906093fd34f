"""Rows of judges are what is kept of them, each once."""

from tidegate.stores.judge_scores import Score
from tidegate.stores.judges import Calibrated, Look, Seat
from tidegate.stores.schema import metadata
from tidegate.stores.schema_judges import judge_looks, judge_scores, judge_seats, judges


def test_each_is_there_once_and_whole() -> None:
    kinds = {judges: Calibrated, judge_scores: Score, judge_looks: Look, judge_seats: Seat}
    for table, kind in kinds.items():
        assert table.metadata is metadata
        assert {it.name for it in table.columns} == set(kind.__struct_fields__)
    keys = [[it.name for it in table.primary_key] for table in kinds]
    assert keys == [
        ["judge"],
        ["judge", "occasion", "anchor", "turn"],
        ["judge", "generation", "week"],
        ["seat"],
    ]
