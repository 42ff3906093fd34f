import msgspec

from tidegate.control.shapes_drift import DriftView, WriteBack


def test_an_answer_names_every_field_also_where_there_is_nothing() -> None:
    assert msgspec.to_builtins(DriftView("f", [], [], [])) == {
        "file": "f",
        "moved": [],
        "overtaken": [],
        "changes": [],
    }
    assert msgspec.to_builtins(WriteBack("", [])) == {"patch": "", "by_hand": []}
