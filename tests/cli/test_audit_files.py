"""Files of an audit: written whole, bounded, read with mistakes named by line."""

import os
import threading
from io import FileIO
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from tidegate.cli import _audit_files
from tidegate.cli._audit_files import Notes, ledger_of, observed_of
from tidegate.core.audit import Observed

SEEN = Observed("1", "front", 5.0, "/v1/chat/completions", "whole", model="m", input_tokens=3)
ROW = {"request_id": "r", "startTime": "2026-11-22 10:00:00", "spend": 0.1, "prompt_tokens": 3}


def test_what_is_noted_is_read_again_and_a_half_line_is_no_mistake(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "into" / "seen.jsonl", 10_000)
    notes.note(SEEN)
    notes.note(SEEN)
    notes.close()
    assert (notes.noted, notes.lost) == (2, 0)
    with notes.file.open("ab") as opened:
        opened.write(b'{"id": "half')
    assert list(observed_of(notes.file)) == [SEEN, SEEN]


def test_a_file_has_a_bound_and_no_other_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "seen.jsonl"
    notes = Notes(file, len(msgspec.json.encode(SEEN)) + 1)
    notes.note(SEEN)
    notes.note(SEEN)
    notes.close()
    assert (notes.noted, notes.lost) == (1, 1)
    with pytest.raises(FileExistsError):
        Notes(file, 1)


def test_a_disk_that_takes_no_more_is_counted(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "seen.jsonl", 10_000)
    with Path("/dev/full").open("wb", buffering=0) as full:
        notes._opened, file = full, notes._opened
        notes.note(SEEN)
        notes.close()
    file.close()
    assert (notes.noted, notes.lost) == (0, 1)


class _Filling(FileIO):
    """A disk with a few bytes left."""

    def write(self, line: Any) -> int:
        return super().write(line[:7])


def test_half_a_line_is_taken_back_when_the_disk_is_full(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "seen.jsonl", 10_000)
    notes._write(SEEN)
    opened = notes._opened
    with _Filling(notes.file, "ab") as notes._opened:
        notes._write(SEEN)
    notes._opened = opened
    opened.seek(0, os.SEEK_END)
    notes._write(SEEN)
    notes.close()
    assert (notes.noted, notes.lost) == (2, 1)
    assert list(observed_of(notes.file)) == [SEEN, SEEN]


def test_a_disk_that_hangs_never_makes_anybody_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_audit_files, "_MOST_WAITING", 3)
    monkeypatch.setattr(_audit_files, "_CLOSING_S", 0.05)
    hangs, reached = threading.Event(), threading.Event()

    class Hanging(FileIO):
        def write(self, line: Any) -> int:
            reached.set()
            hangs.wait(10)
            return super().write(line)

    notes = Notes(tmp_path / "seen.jsonl", 10_000)
    opened = notes._opened
    with Hanging(notes.file, "ab") as notes._opened:
        notes.note(SEEN)
        assert reached.wait(10)
        for _ in range(5):
            notes.note(SEEN)
        assert notes.lost == 2
        notes.close()
        assert (notes.noted, notes.lost) == (0, 6)  # with the three that wait, and the end
        hangs.set()
        notes._thread.join(10)
    opened.close()


def test_a_line_that_is_none_of_a_tap_s_is_named(tmp_path: Path) -> None:
    file = tmp_path / "seen.jsonl"
    file.write_bytes(msgspec.json.encode(SEEN) + b"\n{}\n")
    with pytest.raises(click.ClickException, match=r"seen.jsonl:2: this is no line"):
        list(observed_of(file))


def test_a_ledger_in_json_lines_keeps_its_money_exactly(tmp_path: Path) -> None:
    file = tmp_path / "logs.jsonl"
    file.write_bytes(b'{"request_id":"r","startTime":"2026-11-22T10:00:00","spend":0.000000123}\n')
    [found] = ledger_of(file)
    assert found.spend_nanousd == 123 and found.input_tokens is None


def test_a_row_may_hold_a_whole_prompt(tmp_path: Path) -> None:
    prompt = "x" * (2 * 1024 * 1024)
    lines, table = tmp_path / "logs.jsonl", tmp_path / "logs.CSV"
    lines.write_bytes(msgspec.json.encode({**ROW, "messages": prompt}) + b"\n")
    table.write_text(f"\ufeffrequest_id,startTime,messages\nr,2026-11-22,{prompt}\n")
    assert [it.id for it in (*ledger_of(lines), *ledger_of(table))] == ["r", "r"]


def test_a_ledger_in_csv(tmp_path: Path) -> None:
    file = tmp_path / "logs.csv"
    file.write_text("request_id,startTime,spend,user\na,2026-11-22 10:00:00,0.5,\n")
    [found] = ledger_of(file)
    assert (found.id, found.spend_nanousd, found.user) == ("a", 500_000_000, None)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("l.jsonl", b"[1]\n", "l.jsonl:1: this is no JSON object"),
        ("l.jsonl", b'{"id": 1}\n', "l.jsonl:1: a row needs `request_id`"),
        ("l.csv", b"id,at\n1,2\n", "a row needs `request_id`"),
        ("l.csv", b"request_id,startTime\na,yesterday\n", "l.csv:2: `startTime` is no time"),
        ("l.csv", b'request_id,startTime\n"a,2\n', "this is no CSV"),
        ("l.csv", b"request_id,startTime\n\xff,2\n", "this is no CSV"),
    ],
    ids=["list", "names", "csv-names", "csv-time", "csv-quote", "csv-bytes"],
)
def test_a_ledger_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, data: bytes, why: str
) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(click.ClickException) as error:
        list(ledger_of(file))
    assert why in error.value.message
