"""The working files of a checkout as a source of prompts. Links are never followed."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tidegate.prompts.source import MAX_ENTRIES, MAX_FILE_BYTES, Entry, SourceError


class FolderSource:
    """A folder and what is below it, as it lies there now. Ids are paths below it."""

    lasting = False
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
                    found.append(
                        Entry(entry.name, _kind(entry), f"{folder}/{entry.name}".lstrip("/"))
                    )
                    if len(found) > MAX_ENTRIES:
                        raise SourceError(f"{self.name}: {at} holds more than {MAX_ENTRIES} files")
        except OSError as error:
            raise SourceError(f"{self.name}: {at} cannot be listed: {error.strerror}") from None
        return sorted(found, key=lambda it: it.name)

    def file(self, id: str, at: str, most_bytes: int = MAX_FILE_BYTES) -> bytes:
        try:
            handle = os.open(self._path / id, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as opened:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise SourceError(f"{self.name}: {at} is no plain file")
                data = opened.read(most_bytes + 1)
        except OSError as error:
            raise SourceError(f"{self.name}: {at} cannot be read: {error.strerror}") from None
        if len(data) > most_bytes:
            raise SourceError(f"{self.name}: {at} has more than {most_bytes:,} bytes")
        return data

    def close(self) -> None:
        """There is nothing to close."""


def _kind(entry: "os.DirEntry[str]") -> Literal["file", "folder", "other"]:
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"
