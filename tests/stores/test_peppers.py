"""Peppers lie side by side, each under its version."""

from pathlib import Path

import pytest

from tidegate.core.layout import Layout
from tidegate.stores.peppers import pepper_file, pepper_files, read_peppers


def test_every_version_is_found_and_the_newest_is_last(tmp_path: Path) -> None:
    for version in (1, 10, 2):
        pepper_file(tmp_path, version).write_bytes(b"%d" % version)
    assert list(read_peppers(tmp_path).items()) == [(1, b"1"), (2, b"2"), (10, b"10")]
    assert pepper_file(tmp_path, 1) == Layout(tmp_path).pepper


def test_other_files_are_no_peppers(tmp_path: Path) -> None:
    for name in ("pepper.", "pepper.old", "pepper.02", "pepper.0", ".pepper.2.77", "apepper.3"):
        (tmp_path / name).write_bytes(b"x")
    assert pepper_files(tmp_path) == {}


def test_none_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="pepper is missing"):
        read_peppers(tmp_path)
