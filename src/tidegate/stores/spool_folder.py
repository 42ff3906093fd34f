"""The files of one spool's folder, which a gateway writes and the recorder deletes. OSError."""

import fcntl
import os
from pathlib import Path

from tidegate.core.spool import FINISHED, GROWING


def numbered(folder: Path, suffix: str) -> list[tuple[int, Path]]:
    """Segments with their numbers, in order; none where there is no such folder."""
    try:
        found = [path for path in folder.iterdir() if path.suffix == suffix]
    except FileNotFoundError:
        return []
    named = ((path.stem, path) for path in found)
    return sorted((int(stem), path) for stem, path in named if stem.isascii() and stem.isdigit())


def finish_left(folder: Path) -> None:
    """What a gateway left that was killed is finished. Who calls this holds the folder's lock."""
    for _, path in numbered(folder, GROWING):
        path.replace(path.with_suffix(FINISHED))


def take_free_lock(folder: Path) -> int | None:
    """The descriptor that holds the folder's lock, where no gateway does; None where one does."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return lock
