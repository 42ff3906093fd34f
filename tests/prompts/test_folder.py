"""Working files as a source."""

import os
from pathlib import Path

import pytest
from tests.prompts.repositories import written

from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import read_index
from tidegate.prompts.source import MAX_FILE_BYTES, SourceError


def test_it_is_read_as_it_lies_there(tmp_path: Path) -> None:
    source = FolderSource(written(tmp_path))
    index = read_index(source)
    assert list(index.prompts) == ["plain", "support"]
    assert index.commit is None
    assert source.file("prompts/plain/v1.jinja2", "x") == b"Say hello.\n"
    (tmp_path / "prompts/plain/v2.jinja2").write_text("Say it.\n")
    assert list(read_index(source, before=index).prompts["plain"].versions) == ["v1", "v2"]


def test_links_pipes_and_huge_files_are_not_read(tmp_path: Path) -> None:
    folder = written(tmp_path) / "prompts/plain"
    (folder / "v2.jinja2").symlink_to("/etc/passwd")
    os.mkfifo(folder / "v3.jinja2")
    (folder / "v4.jinja2").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    (tmp_path / "prompts/away").symlink_to("/etc")
    source = FolderSource(tmp_path)
    index = read_index(source)
    assert list(index.prompts["plain"].versions) == ["v1", "v4"]
    assert {it.file for it in index.all_problems()} == {
        "prompts/away",
        "prompts/plain/v2.jinja2",
        "prompts/plain/v3.jinja2",
    }
    for name in ("v2", "v3", "v4", "v5"):
        with pytest.raises(SourceError):
            source.file(f"prompts/plain/{name}.jinja2", name)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such folder"):
        FolderSource(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="cannot be listed"):
        FolderSource(tmp_path).entries("nowhere", "nowhere")
