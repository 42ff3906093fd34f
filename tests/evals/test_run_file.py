"""A run's file: appended to, read again, never mixed with another run's."""

import errno
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tidegate.core.grading import Answered
from tidegate.evals.outcome import Outcome
from tidegate.evals.run_file import RunFile, RunFileRefused, RunHead

HEAD = RunHead("run-1", "s", "suite-digest", {"candidate": "a", "baseline": "b"}, 2)


def outcome(case: str, repeat: int = 0, text: str = "x") -> Outcome:
    return Outcome(case, repeat, "pass", Answered(text))


def test_what_was_added_is_there_again_and_the_last_word_counts(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunFile(path, HEAD) as file:
        file.add("candidate", outcome("a"))
        file.add("candidate", outcome("a", text="again"))
        file.add("baseline", outcome("a", 1))
    with RunFile(path, replace(HEAD, run="another id")) as file:
        assert file.head.run == "run-1"
        assert file.outcomes == {
            ("candidate", "a", 0): outcome("a", text="again"),
            ("baseline", "a", 1): outcome("a", 1),
        }


def test_a_torn_last_line_is_dropped_wherever_it_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunFile(path, HEAD) as file:
        file.add("candidate", outcome("a"))
        file.add("candidate", outcome("b"))
    data = path.read_bytes()
    last = len(data) - data.rindex(b"\n", 0, -1) - 1
    for cut in range(1, last + 1):
        path.write_bytes(data[:-cut])
        with RunFile(path, HEAD) as file:
            assert list(file.outcomes) == [("candidate", "a", 0)]
            file.add("candidate", outcome("b"))
        assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (replace(HEAD, suite_digest="z"), "the suite"),
        (replace(HEAD, repeats=3), "the suite"),
        (replace(HEAD, sides={"candidate": "z", "baseline": "b"}), "the candidate"),
        (replace(HEAD, sides={"candidate": "a"}), "the baseline"),
        (replace(HEAD, judge="route"), "the judge"),
    ],
)
def test_another_runs_file_is_refused_and_left_alone(
    tmp_path: Path, other: RunHead, what: str
) -> None:
    path = tmp_path / "run.jsonl"
    RunFile(path, HEAD).close()
    before = path.read_bytes()
    with pytest.raises(RunFileRefused, match=f"another run: not the same {what};"):
        RunFile(path, other)
    assert path.read_bytes() == before


def test_what_is_no_run_is_refused_by_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\nno")
    with pytest.raises(RunFileRefused, match="line 1"):
        RunFile(path, HEAD)
    assert path.read_text() == "dear diary\nno"


def test_one_line_of_something_else_is_no_torn_run(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    for text in ("dear diary", "{}"):
        path.write_text(text)
        with pytest.raises(RunFileRefused, match="line 1"):
            RunFile(path, HEAD)
        assert path.read_text() == text
    path.write_text('{"run":"run-1","su')
    with RunFile(path, HEAD) as file:
        assert file.head == HEAD


def test_half_a_line_that_a_full_disk_took_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    write = os.write
    with RunFile(path, HEAD) as file:
        with monkeypatch.context() as full:

            def half(at: int, data: bytes) -> int:
                if len(data) < 20:
                    raise OSError(errno.ENOSPC, "no space")
                return write(at, bytes(data[:-10]))

            full.setattr(os, "write", half)
            with pytest.raises(OSError, match="no space"):
                file.add("candidate", outcome("a"))
        file.add("candidate", outcome("b"))
    with RunFile(path, HEAD) as file:
        assert list(file.outcomes) == [("candidate", "b", 0)]


def test_two_processes_are_not_at_one_run(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunFile(path, HEAD), pytest.raises(RunFileRefused, match="another process"):
        RunFile(path, HEAD)
