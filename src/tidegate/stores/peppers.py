"""The secrets under which keys are digested: the file `pepper` is version 1, `pepper.N` version N.

New keys are digested under the newest; a key goes on under the one that its row names. Read by
control and by gateways; control makes them.
"""

import re
from pathlib import Path

_NAME = re.compile(r"pepper(?:\.([1-9][0-9]{0,8}))?")
_FIRST = 1


def pepper_file(state: Path, version: int) -> Path:
    """Where the pepper of this version lies in a state directory."""
    return state / ("pepper" if version == _FIRST else f"pepper.{version}")


def pepper_files(state: Path) -> dict[int, Path]:
    """The peppers of a state directory by version, oldest first. Other names are left alone."""
    matches = (_NAME.fullmatch(path.name) for path in state.iterdir())
    versions = (int(match[1] or _FIRST) for match in matches if match)
    found = {version: pepper_file(state, version) for version in sorted(versions)}
    return {version: path for version, path in found.items() if path.exists()}


def read_peppers(state: Path) -> dict[int, bytes]:
    """Every pepper by version, oldest first. OSError; FileNotFoundError when there is none."""
    found = {version: path.read_bytes() for version, path in pepper_files(state).items()}
    if not found:
        raise FileNotFoundError(f"{pepper_file(state, _FIRST)} is missing: start control first")
    return found
