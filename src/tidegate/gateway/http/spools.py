"""Bodies that are too long for memory wait on disk while they come, in files without a name: what a
process leaves behind is gone with it.

Nothing is written for whoever may not send it: before a body comes to disk its sender's head is
asked about, and so much room is kept as the head says the body has.
"""

import mmap
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, Final

from tidegate.core.outcome import Refusal
from tidegate.core.plan import HttpBounds

# What is shorter stays in memory.
FROM_BYTES: Final = 256 * 1024
# All that come at once may be so many times as long as one, and those of one sender.
MOST_FILES: Final = 4
MOST_FILES_EACH: Final = 2
RETRY_S: Final = 5.0

# Whose a body is, by its request's head. Refusal where it may not be sent.
Leave = Callable[[Any], Awaitable[str]]


class Spools:
    """Of one listener. Requests to `paths` may be as long as `max_file_bytes`, and wait in `folder`
    (None: where the system has its temporary files). `size` is what waits now or has its room kept,
    in bytes. `leave` is asked before anything of a body is written; without it everybody may."""

    def __init__(self, paths: Collection[bytes], folder: Path | None = None) -> None:
        self.paths = frozenset(paths)
        self.folder = folder
        self.max_file_bytes = HttpBounds().max_file_bytes
        self.leave: Leave | None = None
        self.size = 0
        self._of: Counter[str] = Counter()

    def begin(self, who: str = "", expected_bytes: int = 0) -> "Spool":
        """Keeps room for so much of this sender's. Refusal where there is none."""
        return Spool(self, who, expected_bytes)

    def keep(self, who: str, size: int) -> None:
        """Room for so much more. Refusal, which says whose files are in the way."""
        if who and self._of[who] + size > MOST_FILES_EACH * self.max_file_bytes:
            message = "too many files of your team are on their way in; send one after the other"
            raise Refusal("rate_limit_exceeded", message, retry_after_s=RETRY_S)
        if self.size + size > MOST_FILES * self.max_file_bytes:
            message = "too many files of others are on their way in"
            raise Refusal("overloaded", message, retry_after_s=RETRY_S)
        self.size += size
        self._of[who] += size

    def give_back(self, who: str, size: int) -> None:
        self.size -= size
        self._of[who] -= size
        if not self._of[who]:
            del self._of[who]


class Spool:
    """One body, of `size` bytes so far. Whoever has it closes it."""

    __slots__ = ("_file", "_kept_bytes", "_mapped", "_owner", "_who", "size")

    def __init__(self, owner: Spools, who: str, expected_bytes: int) -> None:
        self._owner = owner
        self._who = who
        self._mapped: mmap.mmap | None = None
        self.size = 0
        owner.keep(who, expected_bytes)
        self._kept_bytes = expected_bytes
        try:
            self._file = tempfile.TemporaryFile(dir=owner.folder, buffering=0)  # noqa: SIM115
        except OSError:
            owner.give_back(who, expected_bytes)
            raise _no_room() from None

    def write(self, data: bytes) -> None:
        """Refusal where there is no room for it."""
        beyond = self.size + len(data) - self._kept_bytes
        if beyond > 0:
            self._owner.keep(self._who, beyond)
            self._kept_bytes += beyond
        try:
            written = self._file.write(data)
        except OSError:
            raise _no_room() from None
        if written != len(data):
            raise _no_room()
        self.size += len(data)

    def mapped(self) -> mmap.mmap:
        """All of it, as it lies on disk. There is something of it."""
        if self._mapped is None:
            self._mapped = mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)
        return self._mapped

    def close(self) -> None:
        """Lets it go. A second time does nothing."""
        self._owner.give_back(self._who, self._kept_bytes)
        self._kept_bytes = self.size = 0
        if self._mapped is not None:
            self._mapped.close()
            self._mapped = None
        self._file.close()


def _no_room() -> Refusal:
    return Refusal("overloaded", "there is no room on disk for the file", retry_after_s=RETRY_S)
