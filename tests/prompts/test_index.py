"""Which prompts, versions and tags there are."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.prompts.repositories import FILES, made, written

from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import Index, kept, list_prompt, read_index, read_tags
from tidegate.prompts.source import (
    MAX_FILE_BYTES,
    Entry,
    Source,
    SourceError,
    open_repository,
)


class Watched:
    """A source that notes what is read of it, and fails where it is told to."""

    def __init__(self, source: Source, broken: str = "nothing") -> None:
        self._source = source
        self._broken = broken
        self.name, self.commit, self.lasting = source.name, source.commit, source.lasting
        self.lacks = source.lacks
        self.read: list[str] = []

    def root(self) -> str:
        return self._source.root()

    def entries(self, folder: str, at: str) -> Sequence[Entry]:
        return self._source.entries(folder, self._seen(at))

    def file(self, id: str, at: str, most_bytes: int = MAX_FILE_BYTES) -> bytes:
        return self._source.file(id, self._seen(at), most_bytes)

    def close(self) -> None:
        self._source.close()

    def _seen(self, at: str) -> str:
        self.read.append(at)
        if at.startswith(self._broken):
            raise SourceError(f"{at} is damaged")
        return at


def test_names_versions_and_tags(tmp_path: Path) -> None:
    index = read_index(FolderSource(written(tmp_path)))
    assert sorted(index.prompts["support"].versions) == ["v1", "v2"]
    assert index.prompts["support"].tags == {"stable": "v1", "canary": "v2"}
    assert list(index.partials["house"].versions) == ["v1"]
    assert index.all_problems() == []


def test_no_version_is_read_and_what_is_the_same_is_not_read_again(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    first = Watched(open_repository(repository.path, "main"))
    before = read_index(first)
    assert not [it for it in first.read if it.endswith(".jinja2")]
    repository.commit({"prompts/plain/v2.jinja2": "Say it.\n"})
    second = Watched(open_repository(repository.path, "main"))
    index = read_index(second, before=before)
    assert [it for it in second.read if it.startswith("prompts/")] == [
        "prompts/_partials",
        "prompts/plain",
        "prompts/plain/tags.yaml",
    ]
    assert sorted(index.prompts["plain"].versions) == ["v1", "v2"]
    assert index.prompts["support"] is before.prompts["support"]
    repository.commit({"README.md": "else"})
    third = Watched(open_repository(repository.path, "main"))
    assert read_index(third, before=index).prompts is index.prompts
    for it in (first, second, third):
        it.close()


def test_one_prompt_that_is_damaged_leaves_the_others_and_its_last_good_content(
    tmp_path: Path,
) -> None:
    source = FolderSource(written(tmp_path))
    before = read_index(source)
    now = read_index(Watched(source, "prompts/support"))
    assert now.prompts["support"].versions == {}
    assert now.prompts["plain"] == before.prompts["plain"]
    after = kept(before, now)
    assert after.prompts["support"].versions == before.prompts["support"].versions
    assert [it.message for it in after.all_problems()] == ["prompts/support is damaged"]
    assert kept(None, now) is now
    assert kept(now, now).prompts["support"].versions == {}


@pytest.mark.parametrize("broken", ["prompts", "."])
def test_without_its_folder_there_is_no_index(tmp_path: Path, broken: str) -> None:
    source = Watched(FolderSource(written(tmp_path)), broken)
    with pytest.raises(SourceError, match="damaged"):
        read_index(source)


@pytest.mark.parametrize("folder", ["../x", "a/../../b", "nowhere", "README.md", "a/" * 9 + "b"])
def test_a_folder_that_is_none(tmp_path: Path, folder: str) -> None:
    with pytest.raises(SourceError):
        read_index(FolderSource(written(tmp_path)), folder)


def test_the_root_may_be_the_folder(tmp_path: Path) -> None:
    index = read_index(FolderSource(written(tmp_path) / "prompts"), ".")
    assert list(index.prompts) == ["plain", "support"]
    listed = list_prompt(FolderSource(tmp_path), "prompts", "plain", "prompts/plain")
    assert listed.tags == {"stable": "v1"}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("prompts/Upper/v1.jinja2", 'prompts/Upper: "Upper" is no name'),
        ("prompts/con/v1.jinja2", 'prompts/con: "con" is no name'),
        ("prompts/plain/V2.jinja2", '"V2" is no name of a version'),
        ("prompts/plain/v2.j2", "versions end in .jinja2"),
        ("prompts/plain/tags.yml", "call it tags.yaml"),
        ("prompts/plain/more/v1.jinja2", "holds versions and no folders"),
        ("prompts/lost.jinja2", "a version lies at prompts/NAME/VERSION.jinja2"),
        ("prompts/_partials/lost.jinja2", "a partial lies at _partials/NAME/VERSION.jinja2"),
    ],
)
def test_what_lies_where_it_should_not(tmp_path: Path, path: str, told: str) -> None:
    index = read_index(FolderSource(written(tmp_path, {**FILES, path: "x"})))
    [problem] = index.all_problems()
    assert told in f"{problem.file}: {problem.message}"
    assert "support" in index.prompts


def test_what_is_nobodys_business_is_left_alone(tmp_path: Path) -> None:
    more = {"prompts/README.md": "x", "prompts/plain/notes.md": "x", "prompts/.hidden/x": "x"}
    assert read_index(FolderSource(written(tmp_path, {**FILES, **more}))).all_problems() == []


@pytest.mark.parametrize(
    ("text", "tags", "told"),
    [
        ("stable: v1\n3: v1 # why\n", {"stable": "v1", "3": "v1"}, ""),
        ("", {}, ""),
        ("{stable: 'v2'}", {"stable": "v2"}, ""),
        ("stable: v9\n", {}, 't.yaml:1:1: stable: there is no version "v9"'),
        ("a: v1\nStable: v1\n", {"a": "v1"}, '"Stable" is no name of a tag'),
        ("v2: v1\n", {}, "is a version of this prompt too"),
        ("stable:\n", {}, "write the version that it points at"),
        ("stable: [v1]\n", {}, "write the version that it points at"),
        ("- stable\n", {}, "write a line for each tag"),
        ("stable: v1\nstable: v2\n", {"stable": "v1"}, "is already on line 1"),
        ("stable: [", {}, "this is not YAML"),
    ],
)
def test_tags(text: str, tags: dict[str, str], told: str) -> None:
    found, problems = read_tags(text.encode(), "t.yaml", ["v1", "v2"])
    assert found == tags
    assert any(told in str(it) for it in problems) if told else not problems
    assert Index("s", None, "prompts", "").all_problems() == []
