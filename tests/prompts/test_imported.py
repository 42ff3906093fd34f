"""What was imported becomes files, all or none, and changes none that is there."""

from pathlib import Path

import pytest
from tests.prompts.making import prompt
from tests.prompts.repositories import FILES, written

from tidegate.prompts.folder import FolderSource
from tidegate.prompts.imported import (
    Imported,
    checked_variable,
    files_of,
    named,
    whole,
    write_files,
)
from tidegate.prompts.index import read_index
from tidegate.prompts.registry import read_prompt
from tidegate.prompts.source import SourceError

PROMPT = whole(prompt("Hi.\n{% include 'kind/v1' %}", partials={"kind/v1": "Be."}))
ONE = Imported(PROMPT, ("stable",))


def test_files_are_written_and_read_as_the_same_prompt(tmp_path: Path) -> None:
    files = files_of([ONE])
    assert write_files(tmp_path / "prompts", files)[0] == list(files)
    source = FolderSource(tmp_path)
    index = read_index(source)
    assert index.prompts["support"].tags == {"stable": "v1"}
    held = read_prompt(source, index, "support", "v1").held
    assert held is not None
    assert held.prompt == ONE.prompt
    assert write_files(tmp_path / "prompts", files) == ([], list(files))


def test_what_is_there_is_kept_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    folder = written(tmp_path, FILES) / "prompts"
    before = {it: it.read_bytes() for it in folder.rglob("*") if it.is_file()}
    with pytest.raises(SourceError, match="a version never changes; nothing was written"):
        write_files(folder, {"aaa/v1.jinja2": "new", **files_of([ONE])})
    assert {it: it.read_bytes() for it in folder.rglob("*") if it.is_file()} == before
    write_files(folder, {"support/tags.yaml": "beta: v2\n"})
    assert (folder / "support/tags.yaml").read_text() == "beta: v2\ncanary: v2\nstable: v1\n"
    (folder / "support/tags.yaml").write_text("stable: [")
    with pytest.raises(SourceError, match="put it right first"):
        write_files(folder, {"support/tags.yaml": "beta: v2\n"})


def test_two_of_one_name_that_differ_are_refused() -> None:
    other = Imported(whole(prompt("Hello.")))
    with pytest.raises(ValueError, match=r"support/v1\.jinja2 is there twice"):
        files_of([ONE, other])
    assert len(files_of([other, other])) == 1


@pytest.mark.parametrize(
    ("text", "name"), [("a-b", "a-b"), ("Movie Critic/2", "movie-critic-2"), ("../x", "x")]
)
def test_names_of_other_tools(text: str, name: str) -> None:
    notes: list[str] = []
    assert named(text, notes) == name
    assert len(notes) == (text != name)


def test_names_of_which_nothing_is_left() -> None:
    for text in ("", "///", "äöü", "con"):
        with pytest.raises(ValueError, match="can be the name"):
            named(text, [])
    for name in ("_a", "if", "a-b", "loop", ""):
        with pytest.raises(ValueError, match="rename it"):
            checked_variable(name)
    assert checked_variable("a_b") == "a_b"
