"""The words by which a gateway and the recorder know a segment."""

from tidegate.core.receipt import SEGMENT_MAGIC
from tidegate.core.spool import FINISHED, GROWING, MAGIC


def test_no_segment_is_taken_for_another() -> None:
    assert len(MAGIC) == len(SEGMENT_MAGIC) and MAGIC != SEGMENT_MAGIC
    assert len({FINISHED, GROWING, ".journal"}) == 3
