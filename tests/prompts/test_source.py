"""Finding one's way in a source, and the extra that repositories need."""

from pathlib import Path

import pytest
from tests.prompts.repositories import made, written

from tidegate.core import plugs
from tidegate.prompts.folder import FolderSource
from tidegate.prompts.source import SourceError, find, is_bare, is_repository, open_repository


def test_what_lies_at_a_path(tmp_path: Path) -> None:
    source = FolderSource(written(tmp_path))
    assert find(source, "prompts/plain") == ("folder", "prompts/plain")
    found = find(source, "README.md")
    assert found is not None
    assert (found[0], source.file(found[1], "README.md")) == ("file", b"ours\n")
    assert find(source, "README.md/more") is None
    assert find(source, "nowhere") is None
    assert find(source, "plain", "prompts") == ("folder", "prompts/plain")


def test_what_is_a_repository(tmp_path: Path) -> None:
    bare = made(tmp_path / "a.git").path
    assert is_repository(bare)
    assert is_bare(bare)
    assert not is_repository(tmp_path)


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(kind: str, name: str) -> object:
        raise plugs.PlugError(f"{kind}: {name} does not load: No module named 'dulwich'")

    monkeypatch.setattr(plugs, "load", absent)
    with pytest.raises(SourceError, match=r"pip install 'tidegate\[git\]'"):
        open_repository(tmp_path, "main")
