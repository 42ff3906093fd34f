"""What tells one content of a file from the next: the plan file's, and those that a plan names."""

import contextlib
from pathlib import Path

from tidegate.core.plan import Plan

# When it was modified in ns, its size in bytes, and its inode: a replacement may keep the others.
Stamp = tuple[int, int, int]
Stamps = dict[Path, Stamp]


def stamp(file: Path) -> Stamp | None:
    """None where the file is not to be seen."""
    with contextlib.suppress(OSError):
        found = file.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None


def stamps_of(plan: Plan | None, before: Stamps) -> Stamps:
    """The files that `plan` names. One that is gone is as it was: gateways keep its content."""
    stamps = {path: stamp(path) or before.get(path) for path in _files_of(plan)}
    return {path: found for path, found in stamps.items() if found is not None}


def _files_of(plan: Plan | None) -> set[Path]:
    """Files whose content gateways read when they are told of the plan."""
    targets = plan.targets.values() if plan else ()
    names = {credential.file for target in targets for credential in target.credentials}
    names |= {target.tls.ca_file for target in targets}
    return {Path(name) for name in names if name is not None}
