"""Following one gateway's journal: every whole frame once, in order, however it grows.

A segment is finished when one with a higher number exists; the gateway never goes back. What
cannot be read then (a torn end after a kill, damaged bytes) is skipped and counted, and the file
is set aside, not deleted. In a segment that may still grow it is simply read again later.
"""

import logging
import os
from io import FileIO
from pathlib import Path
from typing import Literal

import msgspec

from tidegate.core.frames import FRAME_HEADER_BYTES, MAX_FRAME_BYTES, frames
from tidegate.core.layout import segment_name
from tidegate.core.receipt import SEGMENT_MAGIC, Receipt, decode_payload

_CHUNK_BYTES = MAX_FRAME_BYTES + FRAME_HEADER_BYTES
_SUFFIX = ".journal"
_ASIDE = ".damaged"
_KEEP_ASIDE = 8

Entry = tuple[Receipt, bytes]
Damage = Literal["no_magic", "torn", "checksum", "undecodable"]

_log = logging.getLogger(__name__)


class JournalTail:
    """Reads one journal folder from (segment, offset); None: from its oldest segment.

    `segment` and `offset` say up to where `take` has read, `behind` whether the file then went
    on. `damage` counts what was skipped.
    Nothing is deleted before `drop_committed` is told that the ledger holds it. Who made one
    closes it.
    """

    def __init__(self, folder: Path, start: tuple[int, int] | None = None) -> None:
        self.folder = folder
        self.segment, self.offset = start or (0, 0)
        self.behind = False
        self.damage: dict[Damage, int] = {}
        self._resume = (self.segment, self.offset)
        self._file: FileIO | None = None
        self._fresh = True
        self._stuck: Damage | None = None
        self._undecodable = False
        self._set_aside: set[int] = set()

    def take(self, max_receipts: int) -> list[Entry]:
        """The next receipts, at most `max_receipts`; none when there is nothing new.

        OSError when the folder or a file cannot be read.
        """
        taken = self._read(max_receipts)
        while not taken:
            numbers = self._numbers()
            if self._fresh:
                self._begin(numbers)
            elif self._replaced():
                self._open(self.segment)
            higher = [n for n in numbers if n > self.segment]
            # The segment may have grown before it was finished: only now is its end the end.
            taken = self._read(max_receipts)
            if taken or not higher:
                break
            self._leave()
            self._open(min(higher))
        return taken

    def unread_bytes(self) -> int:
        """Bytes in the journal that `take` has not handed out yet."""
        unread = 0
        for number in self._numbers():
            if number >= self.segment:
                size = self._path(number).stat().st_size
                read = self.offset if number == self.segment else 0
                unread += max(size - max(read, len(SEGMENT_MAGIC)), 0)
        return unread

    def drop_committed(self, segment: int) -> None:
        """Delete segments below `segment`; the ledger must hold everything in them."""
        for number in self._numbers():
            if number < segment:
                path = self._path(number)
                if number in self._set_aside:
                    path.replace(path.with_suffix(_ASIDE))
                    self._trim_aside()
                else:
                    path.unlink(missing_ok=True)
        self._set_aside = {n for n in self._set_aside if n >= segment}

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self, numbers: list[int]) -> None:
        """Open the oldest segment there is.

        One below the position was committed and a crash kept it from being deleted, or the
        folder was emptied and counts from one again. Reading it is right in both cases: the
        ledger takes each receipt once.
        """
        if numbers:
            self._fresh = False
            self._open(numbers[0])

    def _read(self, max_receipts: int) -> list[Entry]:
        """Whole frames from the position on; moves the position behind what it returns."""
        if self._file is None:
            return []
        taken: list[Entry] = []
        fd = self._file.fileno()
        size = os.fstat(fd).st_size
        if size <= self.offset or (self.offset == 0 and not self._pass_magic(fd)):
            self.behind = False
            return taken
        data = os.pread(fd, min(size - self.offset, _CHUNK_BYTES), self.offset)
        start = self.offset
        self._stuck = None
        for end, payload in frames(data):
            if not payload:  # an empty frame is what a disk leaves that lost its writes
                self._stuck = "checksum"
                break
            self.offset = start + end
            try:
                taken.append((decode_payload(payload), payload))
            except msgspec.DecodeError:
                self._count("undecodable")
                self._undecodable = True
            if len(taken) >= max_receipts:
                break
        self.behind = self.offset < size
        return taken

    def _pass_magic(self, fd: int) -> bool:
        magic = os.pread(fd, len(SEGMENT_MAGIC), 0)
        if magic == SEGMENT_MAGIC:
            self.offset = len(SEGMENT_MAGIC)
            return True
        self._stuck = "no_magic"
        return False

    def _leave(self) -> None:
        """Account for what is left unread in a finished segment."""
        left = 0
        if self._file is not None:
            left = os.fstat(self._file.fileno()).st_size - self.offset
        if left > 0:
            self._count(self._stuck or "torn")
        if left > 0 or self._undecodable:
            self._set_aside.add(self.segment)
            _log.error(
                "%s: %d bytes at offset %d cannot be read; the file is kept as *%s",
                self._path(self.segment),
                left,
                self.offset,
                _ASIDE,
            )

    def _open(self, number: int) -> None:
        self.close()
        offset = self._resume[1] if number == self._resume[0] else 0
        if number >= self._resume[0]:
            self._resume = (0, 0)
        self._stuck, self._undecodable = None, False
        self._file = FileIO(self._path(number))
        self.segment, self.offset = number, offset

    def _replaced(self) -> bool:
        """Whether another file lies under the segment's name than the one that is open."""
        if self._file is None:
            return False
        try:
            there = self._path(self.segment).stat()
        except FileNotFoundError:
            return False
        return there.st_ino != os.fstat(self._file.fileno()).st_ino

    def _numbers(self) -> list[int]:
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(_SUFFIX)]
        stems = (name.removesuffix(_SUFFIX) for name in names)
        return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())

    def _path(self, number: int) -> Path:
        return self.folder / segment_name(number)

    def _count(self, kind: Damage) -> None:
        self.damage[kind] = self.damage.get(kind, 0) + 1

    def _trim_aside(self) -> None:
        kept = sorted(self.folder.glob(f"*{_ASIDE}"))
        for path in kept[:-_KEEP_ASIDE]:
            path.unlink(missing_ok=True)
