"""A file is the old or the new, whole, whatever happens in between."""

from pathlib import Path

import pytest

from tidegate.control.whole_file import write_whole


def test_a_write_takes_the_old_files_place_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "plan"
    for content in (b"a longer old one", b"new"):
        write_whole(file, content)
        assert file.read_bytes() == content
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "plan"
    write_whole(file, b"old")
    (tmp_path / ".plan.new").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old"
