"""Only files of the suite, and of each no more than may be."""

import os
from pathlib import Path

import pytest

from tidegate.evals.files import MAX_LINE_BYTES, Outside, beside, read_lines, read_yaml
from tidegate.evals.reading import Reader


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "file:///etc/passwd",
        "a/../../b",
        "",
        "file://",
        "a\0b",
        "link/x",
    ],
)
def test_no_file_outside_the_folder_is_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(Outside):
        beside(folder, name)


def test_a_file_below_the_folder_is(tmp_path: Path) -> None:
    assert beside(tmp_path, "file://a/./b.txt") == tmp_path.resolve() / "a/b.txt"


def test_each_bad_line_is_said_by_its_number_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    lines = [b'{"a": 1}', b"", b"[1]", b'{"a": 1, "a": 2}', b"\xff", b'{"b": 2}\r', b'{"a": ']
    path.write_bytes(b"\n".join(lines))
    reader = Reader("cases.jsonl")
    read = list(read_lines(path, reader))
    assert [node.mark.line for node in read] == [1, 6]
    assert [problem.mark.line for problem in reader.problems] == [3, 4, 5, 7]


def test_a_line_beyond_the_bound_ends_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(b'{"a": 1}\n"' + b"a" * MAX_LINE_BYTES + b'"\n{"a": 1}\n')
    reader = Reader("cases.jsonl")
    assert len(list(read_lines(path, reader))) == 1
    assert "2:1" in str(reader.problems[0])


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    reader = Reader("f")
    assert read_yaml(tmp_path, reader) is None
    assert list(read_lines(tmp_path / "none.jsonl", reader)) == []
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert read_yaml(tmp_path / "empty.yaml", reader) is None
    told = [problem.message for problem in reader.problems]
    assert told == [
        f"cannot be read: {os.strerror(21)}",
        f"cannot be read: {os.strerror(2)}",
        "it is empty",
    ]
