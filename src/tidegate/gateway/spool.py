"""spool: records that go to the recorder beside the journal; requests never wait for them.

Blocking, from whichever thread. Nothing is made on disk before there is something to write.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Final

from tidegate.core.frames import MAX_FRAME_BYTES, framed
from tidegate.core.spool import FINISHED, GROWING, MAGIC
from tidegate.gateway.journal_lock import JournalLocked, take_lock
from tidegate.stores.spool_folder import finish_left, numbered

log = logging.getLogger(__name__)

# A segment is finished so soon after it was begun, as the recorder waits for that.
FINISH_S: Final = 0.5
SEGMENT_BYTES: Final = 4 * 1024 * 1024


class Spool:
    """One gateway's records of one kind. `append` says whether a record was written: it is not
    where `max_bytes` are waiting for the recorder, or the disk refuses."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.bytes_on_disk = 0
        self._max_bytes = max_bytes
        self._guard = threading.Lock()
        self._lock = self._file = -1
        self._path = folder
        self._number = self._offset = 0
        self._begun_s: float | None = None
        self._refused = False

    def append(self, payload: bytes, now_s: float) -> bool:
        """Whether it was written; then a kill of this process does not lose it."""
        if len(payload) > MAX_FRAME_BYTES:
            return False
        frame = framed(payload)
        with self._guard:
            if self.bytes_on_disk + self._offset + len(frame) > self._max_bytes:
                return False
            try:
                if self._file < 0:
                    self._begin(now_s)
                self._write(frame)
                if self._offset > SEGMENT_BYTES:
                    self._finish()
            except (OSError, JournalLocked) as error:
                if not self._refused:
                    log.error("a spool cannot be written: %s", error)
                self._refused = True
                return False
            self._refused = False
            return True

    def sweep(self, now_s: float) -> None:
        """Finishes a segment that is old enough, and looks at what waits for the recorder."""
        with self._guard:
            try:
                if self._begun_s is not None and now_s - self._begun_s >= FINISH_S:
                    self._finish()
                elif self.bytes_on_disk:
                    self._measure()
            except OSError as error:
                log.error("a segment of a spool cannot be finished: %s", error)

    def close(self) -> None:
        """What was written is the recorder's."""
        with self._guard:
            if self._file >= 0:
                try:
                    self._finish()
                except OSError as error:
                    log.error("a segment of a spool cannot be finished: %s", error)
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def _begin(self, now_s: float) -> None:
        if self._lock < 0:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = take_lock(self.folder)
            finish_left(self.folder)
            self._measure()
        taken = [number for number, _ in numbered(self.folder, FINISHED)]
        self._number = max([*taken, self._number]) + 1
        self._path = self.folder / f"{self._number:012d}{GROWING}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        self._offset, self._begun_s = 0, now_s
        self._write(MAGIC)

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._file, data)
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            os.ftruncate(self._file, self._offset)  # no half frame in the way of the next one
            raise
        self._offset += len(data)

    def _finish(self) -> None:
        os.close(self._file)
        self._file, self._begun_s, self._offset = -1, None, 0
        self._path.replace(self._path.with_suffix(FINISHED))
        self._measure()

    def _measure(self) -> None:
        self.bytes_on_disk = sum(
            path.stat().st_size for _, path in numbered(self.folder, FINISHED) if path.exists()
        )
