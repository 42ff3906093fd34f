"""The lock of a journal's folder: one gateway writes it, and control sees by it that one does."""

import fcntl
import os
import time
from pathlib import Path

from tidegate.core import clock

# Who asks whether a gateway lives holds its lock for an instant (`control.living`).
LOCK_PATIENCE_S = 1.0
LOCK_STEP_S = 0.01


class JournalLocked(Exception):
    """Another process writes this journal."""


def take_lock(folder: Path) -> int:
    """The descriptor that holds the folder's lock. JournalLocked."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until_s = clock.monotonic_s() + LOCK_PATIENCE_S
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError as error:
                if clock.monotonic_s() > until_s:
                    raise JournalLocked(f"another gateway writes {folder}") from error
                time.sleep(LOCK_STEP_S)
    except BaseException:
        os.close(lock)
        raise
