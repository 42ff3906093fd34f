"""Versions, whole: read when asked for, kept while they are good, never exchanged."""

from pathlib import Path

import pytest
from tests.prompts.repositories import FILES, V1, V2, Made, made, written

from tidegate.prompts.folder import FolderSource
from tidegate.prompts.index import read_index
from tidegate.prompts.registry import Registry, path_of, read_prompt, read_registry, version_of
from tidegate.prompts.source import SourceError, open_repository

TAGS = "prompts/support/tags.yaml"


def registry(
    repository: Made,
    before: Registry | None = None,
    known: dict[tuple[str, str], str] | None = None,
) -> Registry:
    source = open_repository(repository.path, "main")
    try:
        wanted: dict[str, tuple[str, ...]] = {"support": ()}
        return read_registry(source, read_index(source), wanted, before or Registry(), known or {})
    finally:
        source.close()


def test_tagged_versions_with_their_partials(tmp_path: Path) -> None:
    found = registry(made(tmp_path / "a.git"))
    support = found.tagged["support"]
    assert support.tags == {"stable": "v1", "canary": "v2"}
    stable = support.at("stable")
    assert stable is not None
    assert stable.turns[0].source.startswith("You help {{ name }}.")
    assert stable.partials == (("house/v1", "Be kind."),)
    assert found.problems == ()


def test_what_is_the_same_is_not_read_again(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    before = registry(repository)
    repository.commit({TAGS: "stable: v2\n"})
    after = registry(repository, before)
    assert after.tagged["support"].tags == {"stable": "v2"}
    assert after.held["support", "v2"] is before.held["support", "v2"]
    repository.commit({"prompts/_partials/house/v1.jinja2": "Be brief.\n"})
    assert registry(repository, after).tagged["support"].at("stable") != after.tagged["support"].at(
        "stable"
    )


def test_a_partial_is_read_once_for_all_that_include_it(tmp_path: Path) -> None:
    read: list[str] = []

    class Watched(FolderSource):
        def file(self, id: str, at: str) -> bytes:
            read.append(at)
            return super().file(id, at)

    source = Watched(written(tmp_path))
    index = read_index(source)
    read.clear()
    found = read_registry(source, index, {"support": ()}, Registry(), {})
    assert len(found.tagged["support"].versions) == 2
    assert read.count("prompts/_partials/house/v1.jinja2") == 1


@pytest.mark.parametrize(
    "harm",
    [
        {"prompts/support/v2.jinja2": "{{ nothing }}"},
        {"prompts/support/v2.jinja2": None},
        {"prompts/_partials/house/v1.jinja2": None},
        {TAGS: "stable: v9\n"},
        {TAGS: "stable: ["},
        {TAGS: "stable: v2\ncanary: v3\n", "prompts/support/v3.jinja2": "{{ a + b }}"},
    ],
)
def test_a_prompt_with_anything_wrong_stays_as_it_was_tags_and_all(
    tmp_path: Path, harm: dict[str, str | bytes | None]
) -> None:
    repository = made(tmp_path / "a.git")
    before = registry(repository)
    repository.commit(harm)
    after = registry(repository, before)
    assert after.tagged == before.tagged
    assert after.problems
    assert registry(repository).tagged == {}


def test_a_tagged_version_that_says_something_else_is_refused(tmp_path: Path) -> None:
    repository = made(tmp_path / "a.git")
    before = registry(repository)
    known = {key: it.prompt.digest for key, it in before.held.items()}
    repository.commit({"prompts/support/v1.jinja2": V2})
    after = registry(repository, before, known)
    assert after.tagged == before.tagged
    assert [it.version for it in after.changed] == ["v1"]
    assert "says something else now" in str(after.problems[0])
    repository.commit({"prompts/support/v1.jinja2": V1.replace("---\ninputs", "---\n# x\ninputs")})
    assert registry(repository, before, known).problems == ()


def test_what_is_asked_for_and_is_not_there(tmp_path: Path) -> None:
    source = FolderSource(written(tmp_path))
    index = read_index(source)
    with pytest.raises(SourceError, match='no prompt "suport"; did you mean "support"'):
        read_prompt(source, index, "suport", "v1")
    with pytest.raises(SourceError, match='no version "v9"'):
        read_prompt(source, index, "support", "v9")
    found = read_registry(source, index, {"gone": (), "plain": ("v7",)}, Registry(), {})
    assert found.tagged == {}
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("huose/v1", 'no partial "huose"; did you mean "house"?'),
        ("house/v7", 'house has no version "v7"'),
    ],
)
def test_partials_that_are_not_there(tmp_path: Path, name: str, told: str) -> None:
    files = {**FILES, "prompts/plain/v1.jinja2": f'Hi.\n{{% include "{name}" %}}\n'}
    source = FolderSource(written(tmp_path, files))
    read = read_prompt(source, read_index(source), "plain", "v1")
    assert read.held is None
    assert told in str(read.problems[0])


def test_a_tag_or_a_version_is_meant(tmp_path: Path) -> None:
    index = read_index(FolderSource(written(tmp_path)))
    support = index.prompts["support"]
    assert [version_of(support, it) for it in ("stable", "v2", "v9")] == ["v1", "v2", None]
    assert path_of(index, "support", "v1") == "prompts/support/v1.jinja2"
