"""Working files as a source."""

import os
from pathlib import Path

import pytest
from tests.prompts.repositories import written

from tidegate.core import clock
from tidegate.prompts.folder import SETTLED_S, FolderSource
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


class Watched(FolderSource):
    """A folder that notes what is read of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.read: list[str] = []

    def file(self, id: str, at: str) -> bytes:
        self.read.append(id.partition("\0")[0])
        return super().file(id, at)


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes on to when what was changed just now was changed a while ago."""
    now_s = clock.wall_s()
    monkeypatch.setattr(clock, "wall_s", lambda: now_s + 2 * SETTLED_S)


def test_what_is_the_same_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    later(monkeypatch)
    before = read_index(FolderSource(path))
    source = Watched(path)
    index = read_index(source, before=before)
    assert source.read == []
    assert index == before
    (path / "prompts/plain/tags.yaml").write_text("stable: v1\n")
    assert read_index(source, before=before).prompts["plain"].tags == {"stable": "v1"}
    assert source.read == ["prompts/plain/tags.yaml"]


@pytest.mark.parametrize("is_settled", [True, False])
def test_another_text_of_the_same_length_and_time_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_settled: bool
) -> None:
    path = written(tmp_path)
    version = path / "prompts/plain/v1.jinja2"
    told = version.stat()
    if is_settled:
        later(monkeypatch)
    before = read_index(FolderSource(path))
    version.write_text("Say jelly.\n")
    os.utime(version, ns=(told.st_atime_ns, told.st_mtime_ns))
    while is_settled and version.stat().st_ctime_ns == told.st_ctime_ns:
        os.utime(version, ns=(told.st_atime_ns, told.st_mtime_ns))
    index = read_index(FolderSource(path), before=before)
    ids = [it.prompts["plain"].versions["v1"] for it in (before, index)]
    assert ids[0] != ids[1]


def test_of_what_was_changed_just_now_the_content_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file system's clock may have stood still between two changes of it."""
    path = written(tmp_path)
    source = Watched(path)
    read_index(source)
    assert "prompts/plain/v1.jinja2" in source.read
    later(monkeypatch)
    source = Watched(path)
    read_index(source)
    assert "prompts/plain/v1.jinja2" not in source.read


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


def test_a_name_that_is_no_text_is_told_in_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"v\xff.jinja2")).write_text("x")
    [entry] = FolderSource(tmp_path).entries("", ".")
    assert entry.name == "v\\xff.jinja2"
    assert FolderSource(tmp_path).file(entry.id, ".") == b"x"
