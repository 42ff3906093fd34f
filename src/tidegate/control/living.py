"""Which gateways run, whether they are connected or not: each holds the lock of its journal.

One that has ended holds no key: it reads every key anew when it starts. One that runs and is
away from the feed may still serve what has been revoked.
"""

import fcntl
import os
from pathlib import Path


def running(journal: Path) -> set[str]:
    """Names of the gateways that hold their folder below `journal`."""
    try:
        names = [folder.name for folder in journal.iterdir()]
    except OSError:
        return set()
    return {name for name in names if _is_held(journal / name / "lock")}


def _is_held(lock: Path) -> bool:
    try:
        fd = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # unknown is not gone
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
