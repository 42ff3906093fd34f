"""A stamp is another as soon as a file is."""

import os
from pathlib import Path

from tidegate.stores.file_stamp import stamp_of


def test_a_replacement_of_the_same_size_and_time_has_another_stamp(tmp_path: Path) -> None:
    file, fresh = tmp_path / "file", tmp_path / "fresh"
    file.write_text("first content")
    before = stamp_of(file)
    assert before is not None and stamp_of(file) == before
    fresh.write_text("other content")
    times = file.stat()
    os.utime(fresh, ns=(times.st_atime_ns, times.st_mtime_ns))
    fresh.replace(file)
    after = stamp_of(file)
    assert after is not None and after != before and after[:2] == before[:2]


def test_what_is_not_to_be_seen_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert stamp_of(tmp_path / "gone") is stamp_of(tmp_path / "file" / "within") is None
    assert stamp_of(tmp_path / "a\0b") is None
