"""A row of the list has everything of a captured request but what was said."""

from tidegate.control.shapes_captured import CapturedRow
from tidegate.core.capture import Captured


def test_a_row_leaves_out_what_was_said() -> None:
    said = {"messages", "answer", "calls", "tools", "kept"}
    whole = set(Captured.__struct_fields__)
    assert set(CapturedRow.__struct_fields__) == whole - said | {
        *("asked_chars", "answer_chars", "calls")
    }
