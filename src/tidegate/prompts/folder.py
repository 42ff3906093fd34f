"""The working files of a checkout as a source of prompts. Links are never followed.

A file is known again by its place, inode, size and times, and not read to see whether it is the
same: the time of its last change cannot be set by anybody. One that was changed a moment ago may
change again within what its file system's clock tells apart, so its content is read.
"""

import os
import stat
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from tidegate.core import clock
from tidegate.prompts.source import MAX_ENTRIES, MAX_FILE_BYTES, Entry, SourceError

# Above the 2 s of the coarsest file system that is still about.
SETTLED_S: Final = 3.0


class FolderSource:
    """A folder and what is below it, as it lies there now. Ids are paths below it, those of files
    with what they are known again by."""

    lasting = False
    lacks = False
    commit: str | None = None

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise SourceError(f"{path}: there is no such folder; name one that holds prompts")
        self.name = str(path)
        self._path = path

    def root(self) -> str:
        return ""

    def entries(self, folder: str, at: str) -> Sequence[Entry]:
        found: list[Entry] = []
        try:
            with os.scandir(self._path / folder) as listed:
                for entry in listed:
                    path, kind = f"{folder}/{entry.name}".lstrip("/"), _kind(entry)
                    id = path if kind != "file" else self._known_by(path, entry)
                    name = os.fsencode(entry.name).decode("utf-8", "backslashreplace")
                    found.append(Entry(name, kind, id))
                    if len(found) > MAX_ENTRIES:
                        raise SourceError(f"{self.name}: {at} holds more than {MAX_ENTRIES} files")
        except OSError as error:
            raise SourceError(f"{self.name}: {at} cannot be listed: {error.strerror}") from None
        return sorted(found, key=lambda it: it.name)

    def file(self, id: str, at: str, most_bytes: int = MAX_FILE_BYTES) -> bytes:
        try:
            path = self._path / id.partition("\0")[0]
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise SourceError(f"{self.name}: {at} is no plain file")
                data = opened.read(most_bytes + 1)
        except OSError as error:
            raise SourceError(f"{self.name}: {at} cannot be read: {error.strerror}") from None
        if len(data) > most_bytes:
            raise SourceError(f"{self.name}: {at} has more than {most_bytes:,} bytes")
        return data

    def _known_by(self, path: str, entry: "os.DirEntry[str]") -> str:
        told = entry.stat(follow_symlinks=False)
        if clock.wall_s() - max(told.st_mtime, told.st_ctime) < SETTLED_S:
            try:
                return f"{path}\0{sha256(self.file(path, path)).hexdigest()}"
            except SourceError:
                pass  # who asks for it is told
        times = f"{told.st_mtime_ns}.{told.st_ctime_ns}"
        return f"{path}\0{told.st_ino}.{told.st_size}.{times}"

    def close(self) -> None:
        """There is nothing to close."""


def _kind(entry: "os.DirEntry[str]") -> Literal["file", "folder", "other"]:
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"
