"""What tells one content of a file from the next without reading it."""

from pathlib import Path

# When it was modified in ns, its size in bytes, and its inode: a replacement may keep the others.
FileStamp = tuple[int, int, int]


def stamp_of(file: Path) -> FileStamp | None:
    """None where the file is not to be seen. Blocks for as long as its disk does."""
    try:
        found = file.stat()
    except (OSError, ValueError):  # the latter for a name that no file can have
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
