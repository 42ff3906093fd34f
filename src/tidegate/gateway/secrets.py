"""secrets: what a reference of the plan points at, on this machine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tidegate.core.secret import Secret, SecretRef

MAX_SECRET_BYTES: Final = 64 * 1024


def secret_of(ref: SecretRef | None, environ: Mapping[str, str]) -> Secret | None:
    """None where it is not to be had, or has signs that no header has. Blocks for a file."""
    if ref is None:
        return None
    if ref.env is not None:
        text = environ.get(ref.env, "").strip()
    else:
        try:
            with Path(ref.file or "").open("rb") as file:
                text = file.read(MAX_SECRET_BYTES).decode("utf-8").strip()
        except (OSError, ValueError):
            text = ""
    if not text or not text.isascii() or not text.isprintable():
        return None
    return Secret(text)
