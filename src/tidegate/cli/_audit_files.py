"""Files of an audit: what a tap has noted, and a ledger that was exported."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

import click
import msgspec

from tidegate.core.audit import LedgerRow, Observed
from tidegate.stores.litellm_spend_rows import row_of

MOST_BYTES: Final = 1024**3
# A ledger may keep prompts in its rows.
_MOST_LINE_BYTES: Final = 64 * 1024 * 1024
_MOST_WAITING: Final = 10_000
_CLOSING_S: Final = 10.0
_observed = msgspec.json.Decoder(Observed).decode
_row = msgspec.json.Decoder(dict[str, Any], float_hook=str).decode


class Notes:
    """The file that a tap writes, a line a request, by a thread of its own. What could not be
    written, or not in time, is counted: the traffic goes on."""

    def __init__(self, file: Path, most_bytes: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        self._opened = file.open("xb", buffering=0)
        self._left_bytes = most_bytes
        self.noted = self.lost = 0
        self._waiting: SimpleQueue[Observed | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="notes", daemon=True)
        self._thread.start()

    def note(self, seen: Observed) -> None:
        """Never waits."""
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put(seen)
        else:
            self.lost += 1

    def close(self) -> None:
        """What still waits is written, where the disk takes it soon."""
        self._waiting.put(None)
        self._thread.join(_CLOSING_S)
        if self._thread.is_alive():
            self.lost += self._waiting.qsize()
        else:
            self._opened.close()

    def _run(self) -> None:
        while (seen := self._waiting.get()) is not None:
            self._write(seen)

    def _write(self, seen: Observed) -> None:
        line = msgspec.json.encode(seen) + b"\n"
        if len(line) > self._left_bytes:
            self.lost += 1
            return
        try:
            written = self._opened.write(line)
            if written < len(line):  # half a line would spoil the next one too
                self._opened.truncate(self._opened.seek(-written, os.SEEK_CUR))
                self.lost += 1
                return
        except OSError:
            self.lost += 1
            return
        self._left_bytes -= len(line)
        self.noted += 1


def observed_of(file: Path) -> Iterator[Observed]:
    """Every request of a tap's file; the last line may be half a one. click.ClickException."""
    for number, line in _lines(file):
        try:
            yield _observed(line)
        except (msgspec.DecodeError, RecursionError) as error:
            if not line.endswith(b"\n"):
                return
            raise click.ClickException(
                f"{file}:{number}: this is no line of a tap's: {error}"
            ) from error


def ledger_of(file: Path) -> Iterator[LedgerRow]:
    """Every request of a ledger in JSON lines, or in CSV with a head, by LiteLLM's names of the
    columns. click.ClickException."""
    if file.suffix.lower() == ".csv":
        csv.field_size_limit(_MOST_LINE_BYTES)
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened, strict=True)
            try:
                for told in reader:
                    yield from _known(told, file, reader.line_num)
            except (csv.Error, UnicodeDecodeError) as error:
                raise click.ClickException(f"{file}: this is no CSV: {error}") from error
        return
    for number, line in _lines(file):
        try:
            values = _row(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise click.ClickException(f"{file}:{number}: this is no JSON object") from error
        told = {
            name: None if value is None else str(value)
            for name, value in values.items()
            if value is None or isinstance(value, str | int)
        }
        yield from _known(told, file, number)


def _known(told: dict[str, str | None], file: Path, number: int) -> Iterator[LedgerRow]:
    if "request_id" not in told or "startTime" not in told:
        raise click.ClickException(
            f"{file}:{number}: a row needs `request_id` and `startTime`, as LiteLLM_SpendLogs has "
            "them; rename the columns of another ledger"
        )
    found = row_of(told)
    if found is None:
        raise click.ClickException(
            f"{file}:{number}: `startTime` is no time: write 2026-11-22T10:00:00Z, or seconds "
            "since 1970"
        )
    yield found


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with file.open("rb") as opened:
            number = 0
            while line := opened.readline(_MOST_LINE_BYTES):
                number += 1
                if line.strip():
                    yield number, line
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error
