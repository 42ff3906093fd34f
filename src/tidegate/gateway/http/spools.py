"""Bodies that are too long for memory wait on disk while they come, in files without a name: what a
process leaves behind is gone with it."""

import mmap
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Final

from tidegate.core.outcome import Refusal
from tidegate.core.plan import HttpBounds

# What is shorter stays in memory.
FROM_BYTES: Final = 256 * 1024
# All that come at once may be so many times as long as one.
MOST_FILES: Final = 4
RETRY_S: Final = 5.0


class Spools:
    """Of one listener. Requests to `paths` may be as long as `max_file_bytes`, and wait in `folder`
    (None: where the system has its temporary files). `size` is what waits now, in bytes."""

    def __init__(self, paths: Collection[bytes], folder: Path | None = None) -> None:
        self.paths = frozenset(paths)
        self.folder = folder
        self.max_file_bytes = HttpBounds().max_file_bytes
        self.size = 0

    def begin(self) -> "Spool":
        """Refusal where there is no room on disk."""
        return Spool(self)


class Spool:
    """One body. Whoever has it closes it."""

    __slots__ = ("_file", "_mapped", "_owner", "size")

    def __init__(self, owner: Spools) -> None:
        self._owner = owner
        self._mapped: mmap.mmap | None = None
        self.size = 0
        try:
            self._file = tempfile.TemporaryFile(dir=owner.folder, buffering=0)  # noqa: SIM115
        except OSError:
            raise _no_room() from None

    def write(self, data: bytes) -> None:
        """Refusal where there is no room for it."""
        owner = self._owner
        if owner.size + len(data) > MOST_FILES * owner.max_file_bytes:
            message = "too many files are on their way in"
            raise Refusal("overloaded", message, retry_after_s=RETRY_S)
        try:
            written = self._file.write(data)
        except OSError:
            raise _no_room() from None
        if written != len(data):
            raise _no_room()
        self.size += len(data)
        owner.size += len(data)

    def mapped(self) -> mmap.mmap:
        """All of it, as it lies on disk. There is something of it."""
        if self._mapped is None:
            self._mapped = mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)
        return self._mapped

    def close(self) -> None:
        """Lets it go. A second time does nothing."""
        self._owner.size -= self.size
        self.size = 0
        if self._mapped is not None:
            self._mapped.close()
            self._mapped = None
        self._file.close()


def _no_room() -> Refusal:
    return Refusal("overloaded", "there is no room on disk for the file", retry_after_s=RETRY_S)
