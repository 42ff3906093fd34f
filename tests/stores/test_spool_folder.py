"""Segments are found by their numbers, and a folder is a living gateway's or nobody's."""

import os
from pathlib import Path

import pytest

from tidegate.core.spool import FINISHED, GROWING
from tidegate.stores.spool_folder import finish_left, numbered, take_free_lock


def test_segments_come_in_their_order_and_nothing_else_does(tmp_path: Path) -> None:
    for name in (f"10{FINISHED}", f"9{FINISHED}", f"11{GROWING}", f"x{FINISHED}", "lock"):
        (tmp_path / name).write_bytes(b"")
    assert [number for number, _ in numbered(tmp_path, FINISHED)] == [9, 10]
    assert numbered(tmp_path / "absent", FINISHED) == []
    finish_left(tmp_path)
    assert [number for number, _ in numbered(tmp_path, FINISHED)] == [9, 10, 11]


def test_one_holds_the_lock_at_a_time(tmp_path: Path) -> None:
    held = take_free_lock(tmp_path)
    assert held is not None
    assert take_free_lock(tmp_path) is None
    os.close(held)
    again = take_free_lock(tmp_path)
    assert again is not None
    os.close(again)
    with pytest.raises(OSError, match="No such file"):
        take_free_lock(tmp_path / "absent")
