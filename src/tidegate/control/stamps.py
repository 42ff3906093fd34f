"""Stamps of the files that a plan names."""

from pathlib import Path

from tidegate.core.plan import Plan
from tidegate.stores.file_stamp import FileStamp, stamp_of

Stamps = dict[Path, FileStamp]


def stamps_of(plan: Plan | None, before: Stamps) -> Stamps:
    """The files that `plan` names. One that is gone is as it was: gateways keep its content."""
    stamps = {path: stamp_of(path) or before.get(path) for path in _files_of(plan)}
    return {path: found for path, found in stamps.items() if found is not None}


def _files_of(plan: Plan | None) -> set[Path]:
    """Files whose content gateways read when they are told of the plan."""
    targets = plan.targets.values() if plan else ()
    names = {credential.file for target in targets for credential in target.credentials}
    names |= {target.tls.ca_file for target in targets}
    return {Path(name) for name in names if name is not None}
