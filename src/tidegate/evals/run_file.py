"""A run's outcomes on disk, one JSON line each, appended as they come: what a run resumes from.

A run that is killed leaves at most one line torn, which is dropped when it is opened again.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tidegate.evals.outcome import Comparison, Outcome
from tidegate.evals.side import SideName

FORM: Final = "tidegate-run-1"
MAX_LINE_BYTES: Final = 64 * 1024 * 1024


class RunHead(Struct, frozen=True, omit_defaults=True):
    """What the run is of. `sides` are the digests of what is asked, `repeats` how often; `after` is
    the number of the newest receipt that there was before it."""

    run: str
    suite: str
    suite_digest: str
    sides: Mapping[str, str]
    repeats: int
    judge: str | None = None
    form: str = FORM
    after: int = 0


class _Line(Struct, frozen=True):
    side: SideName
    outcome: Outcome


class _Compared(Struct, frozen=True):
    comparison: Comparison


class _Any(Struct, frozen=True):
    """Any line after the first."""

    side: SideName | None = None
    outcome: Outcome | None = None
    comparison: Comparison | None = None


Key = tuple[SideName, str, int]
_BEGINNING: Final = b'{"run":"'
_encode: Final = msgspec.json.Encoder().encode
_head: Final = msgspec.json.Decoder(RunHead).decode
_line: Final = msgspec.json.Decoder(_Any).decode


class RunFileRefused(Exception):
    """The file is not this run's, or cannot be used. The message says what to do."""


class RunFile:
    """Open for appending; `head` is what it began with, `outcomes` the last of each answer,
    `comparisons` that of each pair of them by case, repeat and check. One process at a time.
    RunFileRefused, OSError."""

    def __init__(self, path: Path, wanted: RunHead) -> None:
        self.path = path
        self.outcomes: dict[Key, Outcome] = {}
        self.comparisons: dict[tuple[str, int, int], Comparison] = {}
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._lock()
            head = self._read(wanted)
            if head is None:
                self._write(_encode(wanted))
            self.head = head or wanted
        except BaseException:
            os.close(self._file)
            raise

    def add(self, side: SideName, outcome: Outcome) -> None:
        """Written to the file before this returns."""
        self.outcomes[side, outcome.case, outcome.repeat] = outcome
        self._write(_encode(_Line(side, outcome)))

    def add_comparison(self, comparison: Comparison) -> None:
        """Written to the file before this returns."""
        self._keep(comparison)
        self._write(_encode(_Compared(comparison)))

    def close(self) -> None:
        """What was written is on the disk then."""
        os.fsync(self._file)
        os.close(self._file)

    def __enter__(self) -> "RunFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFileRefused(f"{self.path}: another process is at this run") from None

    def _write(self, line: bytes) -> None:
        """All of it, or nothing: what comes after half a line could not be read."""
        left, end = memoryview(line + b"\n"), os.lseek(self._file, 0, os.SEEK_END)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError:
            os.ftruncate(self._file, end)
            raise

    def _read(self, wanted: RunHead) -> RunHead | None:
        """What is there. The torn end is cut off."""
        head: RunHead | None = None
        whole = 0
        with open(self._file, "rb", closefd=False) as file:
            file.seek(0)
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), 1):
                if not line.endswith(b"\n"):
                    self._check_torn(line, head)
                    break
                whole += len(line)
                try:
                    if head is None:
                        head = _head(line)
                        self._check(head, wanted)
                    else:
                        self._take(_line(line))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    what = f"{self.path}, line {number}: it is no line of a run: {error}"
                    raise RunFileRefused(what) from None
        os.ftruncate(self._file, whole)
        return head

    def _check_torn(self, line: bytes, head: RunHead | None) -> None:
        """That a file of one line without an end is the beginning of a run's, before it is cut."""
        if head is None and not line.startswith(_BEGINNING[: len(line)]):
            raise RunFileRefused(f"{self.path}, line 1: it is no line of a run")

    def _take(self, line: _Any) -> None:
        if line.comparison is not None:
            self._keep(line.comparison)
        elif line.side is None or line.outcome is None:
            raise msgspec.ValidationError("it has neither an outcome nor a comparison")
        else:
            self.outcomes[line.side, line.outcome.case, line.outcome.repeat] = line.outcome

    def _keep(self, it: Comparison) -> None:
        self.comparisons[it.case, it.repeat, it.check] = it

    def _check(self, head: RunHead, wanted: RunHead) -> None:
        """That it is of the same cases, sides, repeats and judge."""
        if head.form != FORM:
            raise RunFileRefused(f"{self.path}: it is of the form {head.form!r}, not {FORM}")
        found = []
        if head.suite_digest != wanted.suite_digest or head.repeats != wanted.repeats:
            found.append("the suite")
        for name in sorted(head.sides.keys() | wanted.sides.keys()):
            if head.sides.get(name) != wanted.sides.get(name):
                found.append(f"the {name}")
        if head.judge != wanted.judge:
            found.append("the judge")
        if found:
            what = f"{self.path}: it is another run: not the same {' and '.join(found)}"
            raise RunFileRefused(f"{what}; name another file, or delete this one")
